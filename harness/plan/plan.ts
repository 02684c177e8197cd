// SPDX-License-Identifier: Apache-2.0
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
 * Expands a spec into its trials, block after block. A block is one seed and holds every workload under every policy.
 * Pure: the same spec gives the same plan.
 *
 * Within a block the policies of one workload follow each other, so that what is compared runs close together in time
 * and meets the same state of the host; the order of workloads, and of policies within each, is random and seeded. A
 * trial's seed depends on the base and the block alone: adding a policy or workload changes no other trial.
 */
export function planTrials(spec: Spec): Plan {
  const trials: Omit<PlannedTrial, 'trial'>[] = [];
  for (let block = 0; block < spec.seeds.count; block++) {
    for (const use of orderedUses(spec, block)) {
      for (const entry of orderedEntries(spec, block, use)) {
        trials.push({ block, workload: use.workload, variant: use.variant, params: use.params, ...entry });
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
function orderedEntries(spec: Spec, block: number, { workload, variant }: WorkloadUse): readonly Entry[] {
  const { base } = spec.seeds;
  const seed: Seed = deriveSeed(base, 'block', block);
  const entries: Entry[] = spec.policies.map((policy) => ({ policy, role: 'measure', seed }));
  if (spec.controls.includes('aa')) {
    entries.push({ policy: spec.baseline, role: 'aa', seed: deriveSeed(base, 'aa', block) });
  }
  if (spec.order === 'listed') return entries;
  return shuffled(entries, deriveSeed(base, 'order', block, workload, variant));
}
