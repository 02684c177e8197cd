// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import {
  describeMachine,
  OBJECTIVES,
  type Outcome,
  type RunEvidence,
} from '../../../analysis/policy-map/evidence.ts';
import type { McpParts } from './parts.ts';
import { asChange } from './shapes.ts';
import { tool } from './tool.ts';

const ratios = z.object({
  primary: z.number().optional(),
  time: z.number().optional(),
  tail: z.number().optional(),
  energy: z.number().optional(),
});
const Output = z.object({
  outcomes: z.array(
    z.object({
      run: z.string(),
      trial: z.string(),
      baseline: z.string().optional().describe("EEVDF's trial of the same run that it is compared with"),
      policy: z.string(),
      workload: z.string(),
      variant: z.string(),
      point: z.string(),
      block: z.number(),
      seed: z.number(),
      state: z.string(),
      failed: z.boolean(),
      ratios: ratios.describe("Cost over EEVDF's by objective; below 1 is better"),
      machine: z.string(),
      at: z.string(),
    }),
  ),
  total: z.number().describe('Outcomes that match'),
  next: z.number().optional().describe('Offset of those that follow'),
});
type Row = z.infer<typeof Output>['outcomes'][number];

export const evidenceTool = (parts: McpParts) =>
  tool({
    name: 'evidence',
    title: 'Evidence of a policy',
    description:
      'The trials that a recommendation rests on: each with its run, seed, state and cost over that of EEVDF in the same block.',
    input: z.object({
      policy: z.string().optional(),
      workload: z.string().optional(),
      variant: z.string().optional(),
      offset: z.int().min(0).default(0),
      limit: z.int().min(1).max(200).default(20),
    }),
    output: Output,
    effects: 'reads',
    async run({ policy, workload, variant, offset, limit }, { signal }) {
      const map = await parts.openMap();
      try {
        const runs = new Map<string, RunEvidence>();
        const outcomes: Row[] = [];
        let total = 0;
        for await (const each of map.evidence()) {
          signal.throwIfAborted();
          if (each.kind === 'run') runs.set(each.run, each);
          if (each.kind !== 'outcome') continue;
          const fits =
            (policy ?? each.policy) === each.policy &&
            (workload ?? each.workload) === each.workload &&
            (variant ?? each.variant) === each.variant;
          if (!fits) continue;
          if (total >= offset && outcomes.length < limit) outcomes.push(rowOf(each, runs.get(each.run)));
          total++;
        }
        const next = offset + outcomes.length;
        return {
          words: wordsOf(outcomes, total),
          data: { outcomes, total, ...(next < total ? { next } : {}) },
        };
      } finally {
        await map.close();
      }
    },
  });

function rowOf(outcome: Outcome, run: RunEvidence | undefined): Row {
  const { trial, baseline, policy, workload, variant, point, block, seed, state, failed, logCosts, at } =
    outcome;
  const known = OBJECTIVES.flatMap((objective) => {
    const log = logCosts[objective];
    return log === undefined ? [] : [[objective, Math.exp(log)] as const];
  });
  return {
    run: outcome.run,
    trial,
    ...(baseline === undefined ? {} : { baseline }),
    policy,
    workload,
    variant,
    point: String(point),
    block,
    seed,
    state,
    failed,
    ratios: Object.fromEntries(known),
    machine: run === undefined ? 'unknown' : describeMachine(run.machine),
    at,
  };
}

function wordsOf(rows: readonly Row[], total: number): string {
  if (total === 0) return 'The map has no such outcome.';
  const lines = rows.map(
    ({ run, trial, policy, workload, state, ratios: { primary } }) =>
      `${run}/${trial}: ${policy} on ${workload}, ${state}${primary === undefined ? '' : `, cost ${asChange(primary)}`}`,
  );
  return [`${rows.length} of ${total} outcomes:`, ...lines].join('\n');
}
