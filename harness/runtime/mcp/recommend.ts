// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { Neighbour } from '../../../analysis/policy-map/policy-map.ts';
import { askNow } from './ask-map.ts';
import { ToolError } from './failure.ts';
import { observeNow } from './observe.ts';
import type { McpParts } from './parts.ts';
import { asChange, interval, near, objective, vector } from './shapes.ts';
import { tool } from './tool.ts';

const Output = z.object({
  recommend: z.string().describe('Policy; eevdf when the map abstains'),
  abstained: z.boolean(),
  why: z.string(),
  objective,
  level: z
    .number()
    .optional()
    .describe('Share of new workloads for which the upper end of the interval is to hold'),
  interval: interval.optional().describe('Of the recommended policy'),
  ranking: z.array(
    interval.extend({
      policy: z.string(),
      failures: z.number().describe('Weighted share of trials nearby that failed'),
      against: z.string().optional().describe('Why it is not recommended'),
    }),
  ),
  neighbours: z.array(near),
  evidence: z
    .array(
      z.object({
        workload: z.string(),
        variant: z.string(),
        policy: z.string(),
        trials: z.number(),
        failures: z.number(),
        ratio: z.number().optional(),
        low: z.number().optional(),
        high: z.number().optional(),
      }),
    )
    .describe(
      'What the best policies did in the nearest situations: geometric mean ratio with its range of one standard error. The tool evidence has the trials',
    ),
  source: z.enum(['daemon', 'probes', 'given']),
});

export const recommendTool = (parts: McpParts) =>
  tool({
    name: 'recommend',
    title: 'Recommend a policy',
    description:
      'Which scheduling policy the policy map recommends for how the machine looks now (or for a given vector), with the interval of its expected cost and the evidence. Abstaining, with eevdf, is an answer: it says why.',
    input: z.object({
      objective: objective
        .optional()
        .describe('What to judge by; default the one that the server was started with'),
      vector: vector.optional().describe('Instead of how the machine looks now, as observe gives it'),
      windowMs: z.number().min(250).max(5000).default(1000),
    }),
    output: Output,
    effects: 'reads',
    async run({ objective: chosen = parts.objective, vector: given, windowMs }, { signal }) {
      const observed = given === undefined ? await observeNow(parts, windowMs, signal) : undefined;
      const asked = given ?? observed?.window.vector;
      if (asked === undefined) {
        throw new ToolError(
          'unknown-window',
          observed?.window.unknown ?? 'the window has no vector',
          'Ask again while the load runs, or with a longer windowMs',
        );
      }
      const { answer, neighbours } = await askNow(parts, asked, chosen);
      const best = answer.ranking.find(({ policy }) => policy === answer.recommend);
      const shown = answer.ranking.slice(0, 3).map(({ policy }) => policy);
      const data: z.infer<typeof Output> = {
        recommend: answer.recommend,
        abstained: answer.abstained,
        why: answer.why,
        objective: chosen,
        ...(answer.level === undefined ? {} : { level: answer.level }),
        ...(best === undefined ? {} : { interval: { ratio: best.ratio, low: best.low, high: best.high } }),
        ranking: answer.ranking.map((each) => ({ ...each })),
        neighbours: answer.neighbours.map(({ workload, variant, distance }) => ({
          workload,
          variant,
          distance,
        })),
        evidence: neighbours.flatMap((situation) => evidenceOf(situation, shown, chosen)),
        source: observed?.source ?? 'given',
      };
      const cost =
        best === undefined
          ? ''
          : ` Expected cost ${asChange(best.ratio)} (${asChange(best.low)} to ${asChange(best.high)}) against EEVDF.`;
      return {
        words: answer.abstained
          ? `Leave it alone: ${answer.why}.`
          : `${answer.recommend}: ${answer.why}.${cost}`,
        data,
      };
    },
  });

function evidenceOf(
  { workload, variant, policies }: Neighbour,
  shown: readonly string[],
  chosen: z.infer<typeof objective>,
) {
  return policies
    .filter(({ policy }) => shown.includes(policy))
    .map(({ policy, trials, failures, logCosts }) => {
      const { n, mean, m2 } = logCosts[chosen];
      const error = n > 1 ? Math.sqrt(m2 / (n - 1) / n) : undefined;
      return {
        workload,
        variant,
        policy,
        trials,
        failures,
        ...(n === 0 ? {} : { ratio: Math.exp(mean) }),
        ...(error === undefined ? {} : { low: Math.exp(mean - error), high: Math.exp(mean + error) }),
      };
    });
}
