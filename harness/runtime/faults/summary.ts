// SPDX-License-Identifier: Apache-2.0
import type { Injection } from './inject.ts';

/** A table of all kinds: how many, how many recovered, how long that took. */
export function summaryLines(injections: readonly Injection[]): string[] {
  const rows = [...Map.groupBy(injections, ({ kind }) => kind)].map(([kind, all]) => lineOf(kind, all));
  return [
    'fault                   made  recovered  median ms  longest ms',
    ...rows.sort(),
    lineOf('all', injections),
  ];
}

function lineOf(kind: string, all: readonly Injection[]): string {
  const times = all.flatMap(({ recoveredMs }) => recoveredMs ?? []).sort((a, b) => a - b);
  const cell = (value: number | undefined, width: number) => (value?.toFixed(0) ?? '-').padStart(width);
  return `${kind.padEnd(22)}${cell(all.length, 6)}${cell(times.length, 11)}${cell(times[times.length >> 1], 11)}${cell(times.at(-1), 12)}`;
}
