// SPDX-License-Identifier: Apache-2.0
import { deriveSeed } from '../../../harness/core/seed.ts';
import type { Example, KnownCost } from './training.ts';

/** A number from -0.5 to 0.5 that depends on the labels alone. */
export function sampleNoise(...labels: readonly (string | number)[]): number {
  return deriveSeed(5, ...labels) / 2 ** 31 - 0.5;
}

export function unitOf(...values: number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

export function sampleExample(
  workload: string,
  vector: Float32Array,
  costs: Readonly<Record<string, number | 'failed'>>,
): Example {
  const known = Object.entries(costs).map(([policy, cost]): [string, KnownCost] => [
    policy,
    cost === 'failed'
      ? { trials: 2, failures: 2 }
      : { trials: 2, failures: 0, logCost: cost, variance: 0.0001 },
  ]);
  return { workload, variant: 'default', point: 'quiescent', vectors: [vector], costs: new Map(known) };
}

/** Workloads on an arc: `left` is good at its one end, `right` at the other, `bad` nowhere. */
export function arcOfWorkloads(count: number): Example[] {
  return Array.from({ length: count }, (_, at) => {
    const angle = (at / (count - 1)) * (Math.PI / 2);
    const lean = Math.cos(2 * angle);
    const noise = (policy: string) => 0.01 * sampleNoise(at, policy);
    const costs = {
      left: -0.3 * lean + noise('left'),
      right: 0.3 * lean + noise('right'),
      bad: 0.2 + noise('bad'),
    };
    return sampleExample(`w${at}`, unitOf(Math.cos(angle), Math.sin(angle)), costs);
  });
}
