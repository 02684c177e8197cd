// SPDX-License-Identifier: Apache-2.0
import type { SpecFault } from './fault.ts';
import { isMap } from './is-map.ts';
import { DEFAULT_BLOCKS } from './raw-spec.ts';

/** More trials than this are refused before anything is allocated for them. */
export const MAX_TRIALS = 100_000;

/** The fault of a plan that would be too long. Counts what is written, so it works beside other faults. */
export function planSizeFaults(data: unknown): SpecFault[] {
  if (!isMap(data)) return [];
  const policies = Array.isArray(data.policies) ? data.policies.length : 0;
  const workloads = Array.isArray(data.workloads) ? data.workloads.length : 0;
  const controls = Array.isArray(data.controls) ? Math.min(data.controls.length, 1) : 0;
  const points = Array.isArray(data.at) ? Math.max(data.at.length, 1) : 1;
  const blocks = blockCount(data.seeds);
  if (blocks === undefined) return [];
  // BigInt: a count as large as 2^53 is a valid number, and its product with the rest is not.
  const trials = BigInt(blocks) * BigInt(workloads) * BigInt(points) * BigInt(policies + controls);
  if (trials <= BigInt(MAX_TRIALS)) return [];
  const perWorkload =
    controls === 0 ? count(policies, 'policy') : `(${count(policies, 'policy')} + 1 control)`;
  const each = points === 1 ? '' : `${count(points, 'point')} x `;
  const product = `${count(blocks, 'block')} x ${count(workloads, 'workload')} x ${each}${perWorkload}`;
  const what = `this plan has ${trials} trials: ${product}`;
  const next = `The limit is ${MAX_TRIALS}: lower seeds.count, or split the experiment.`;
  return [{ path: ['seeds', 'count'], what, next }];
}

/** Blocks as written, however many; undefined when that is no positive whole number. */
function blockCount(seeds: unknown): number | undefined {
  if (seeds === undefined) return DEFAULT_BLOCKS;
  if (!isMap(seeds)) return undefined;
  const count = seeds.count ?? DEFAULT_BLOCKS;
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : undefined;
}

function count(number: number, noun: 'block' | 'workload' | 'point' | 'policy'): string {
  const plural = noun === 'policy' ? 'policies' : `${noun}s`;
  return `${number} ${number === 1 ? noun : plural}`;
}
