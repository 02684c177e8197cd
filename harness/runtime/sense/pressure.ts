// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

export const RESOURCES = ['cpu', 'io', 'memory'] as const;
export type Resource = (typeof RESOURCES)[number];

/** us in which some task waited for each resource, since boot. Absent: this kernel does not count it (CONFIG_PSI, psi=1). */
export type PressureTotals = { readonly [R in Resource]?: number };

/** Reads `/proc/pressure` (Documentation/accounting/psi.rst). */
export function readPressure(folder = '/proc/pressure'): PressureTotals {
  return Object.fromEntries(
    RESOURCES.flatMap((resource) => {
      const total = someTotal(`${folder}/${resource}`);
      return total === undefined ? [] : [[resource, total]];
    }),
  );
}

function someTotal(path: string): number | undefined {
  try {
    const [, total] = /^some .*\btotal=(\d+)$/m.exec(readFileSync(path, 'utf8')) ?? [];
    return total === undefined ? undefined : Number(total);
  } catch {
    return undefined;
  }
}

/** Shares of `ns`, 0 to 1. */
export function pressureBetween(before: PressureTotals, after: PressureTotals, ns: number): PressureTotals {
  return Object.fromEntries(
    RESOURCES.flatMap((resource) => {
      const [from, to] = [before[resource], after[resource]];
      if (from === undefined || to === undefined || to < from || !(ns > 0)) return [];
      return [[resource, Math.min(1, ((to - from) * 1000) / ns)]];
    }),
  );
}
