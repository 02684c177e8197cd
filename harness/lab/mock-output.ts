// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/ids.ts';
import type { WorkloadDefinition } from '../core/workload.ts';
import type { Orders } from './engine.ts';

/**
 * A sample of a workload's real output with other numbers in the places of its metrics: between 0.8 and 1.25 of the
 * sample's, chosen by command, policy and seed. It looks like a result and is none.
 */
export function inventOutput(sample: string, workload: WorkloadDefinition, orders: Orders): string {
  const places = Object.entries(workload.metrics).flatMap(([name, { pattern }]) => {
    const span = new RegExp(pattern, 'md').exec(sample)?.indices?.[1];
    return span === undefined ? [] : [{ name, from: span[0], to: span[1] }];
  });
  return places
    .sort((a, b) => b.from - a.from)
    .reduce((text, { name, from, to }) => {
      const number = scaled(text.slice(from, to), factor(orders, name));
      return text.slice(0, from) + number + text.slice(to);
    }, sample);
}

function factor(orders: Orders, metric: string): number {
  const key = canonicalJson([orders.run, orders.policy.id, orders.seed, metric]);
  const share = createHash('sha256').update(key).digest().readUInt32BE(0) / 2 ** 32;
  return 0.8 + 0.45 * share;
}

/** Keeps the number of decimals, so that the pattern still matches. */
function scaled(number: string, by: number): string {
  const decimals = /\.(\d+)/.exec(number)?.[1]?.length ?? 0;
  return (Number(number) * by).toFixed(decimals);
}
