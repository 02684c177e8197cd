// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../core/fork-point.ts';
import { canonicalJson, shortDigest } from '../core/ids.ts';
import { deriveSeed, type Seed, shuffled } from '../core/seed.ts';
import type { Spec, WorkloadUse } from '../core/spec.ts';
import type { PlannedTrial } from '../core/trial.ts';

/** Every trial of a spec, in the order in which they are to start. */
export interface Plan {
  /** Names the spec that it follows from: equal specs have equal plans. */
  readonly digest: string;
  readonly trials: readonly PlannedTrial[];
}

type Entry = Pick<PlannedTrial, 'policy' | 'role' | 'seed'>;

/**
 * Expands a spec into its trials, block after block. A block is one seed and holds every workload under every policy, once
 * for each point at which policies take over.
 * Pure: the same spec gives the same plan.
 *
 * Within a block the policies of one workload and point follow each other, so that what is compared runs close together in
 * time and meets the same state of the host; points come in the spec's order, and the order of workloads, and of policies
 * within each point, is random and seeded. A trial's seed depends on the base and the block alone: adding a policy, workload
 * or point changes no other trial.
 */
export function planTrials(spec: Spec): Plan {
  const trials: Omit<PlannedTrial, 'trial'>[] = [];
  for (let block = 0; block < spec.seeds.count; block++) {
    for (const use of orderedUses(spec, block)) {
      for (const point of spec.points) {
        for (const entry of orderedEntries(spec, block, use, point))
          trials.push({ block, ...use, point, ...entry });
      }
    }
  }
  const width = Math.max(4, String(trials.length).length);
  return {
    digest: shortDigest(canonicalJson(spec)),
    trials: trials.map((trial, index) => ({ trial: String(index + 1).padStart(width, '0'), ...trial })),
  };
}

function orderedUses(spec: Spec, block: number): readonly WorkloadUse[] {
  if (spec.order === 'listed') return spec.workloads;
  return shuffled(spec.workloads, deriveSeed(spec.seeds.base, 'order', block));
}

/** Each policy once, and the null control as one more entry among them. */
function orderedEntries(
  spec: Spec,
  block: number,
  { workload, variant }: WorkloadUse,
  point: ForkPoint,
): readonly Entry[] {
  const { base } = spec.seeds;
  const seed: Seed = deriveSeed(base, 'block', block);
  const entries: Entry[] = spec.policies.map((policy) => ({ policy, role: 'measure', seed }));
  if (spec.controls.includes('aa')) {
    entries.push({ policy: spec.baseline, role: 'aa', seed: deriveSeed(base, 'aa', block) });
  }
  if (spec.order === 'listed') return entries;
  // Nothing is added for `quiescent`, so that plans from before there were points keep their order.
  const at = point === 'quiescent' ? [] : [point];
  return shuffled(entries, deriveSeed(base, 'order', block, workload, variant, ...at));
}
