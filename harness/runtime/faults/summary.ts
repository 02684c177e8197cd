// SPDX-License-Identifier: Apache-2.0
import type { Injection } from './inject.ts';

/** A table of all kinds: how many, how many recovered, how long that took. */
export function summaryLines(injections: readonly Injection[]): string[] {
  const rows = [...Map.groupBy(injections, ({ kind }) => kind)].map(([kind, all]) => lineOf(kind, all));
  return [
    'fault                   made  recovered  median ms  longest ms  home: median ms  longest ms',
    ...rows.sort(),
    lineOf('all', injections),
  ];
}

function lineOf(kind: string, all: readonly Injection[]): string {
  const cell = (value: number | undefined, width: number) => (value?.toFixed(0) ?? '-').padStart(width);
  const spread = (values: readonly (number | undefined)[], widths: readonly [number, number]) => {
    const times = values.filter((value) => value !== undefined).sort((a, b) => a - b);
    return `${cell(times[times.length >> 1], widths[0])}${cell(times.at(-1), widths[1])}`;
  };
  const recovered = all.map(({ recoveredMs }) => recoveredMs);
  const count = recovered.filter((ms) => ms !== undefined).length;
  const home = all.map(({ homeMs }) => homeMs);
  return `${kind.padEnd(22)}${cell(all.length, 6)}${cell(count, 11)}${spread(recovered, [11, 12])}${spread(home, [17, 12])}`;
}
