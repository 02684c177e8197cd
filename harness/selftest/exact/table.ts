// SPDX-License-Identifier: Apache-2.0
import { formatCsv } from '../../core/csv.ts';
import type { Disturbance } from './disturbance.ts';
import type { Row } from './storm.ts';

const COLUMNS = [
  ...['trial', 'kind', 'guest', 'vcpus', 'policy', 'from', 'events', 'ended', 'hash', 'transcript'],
  ...['differs', 'cause', 'seconds'],
];

/** Every trial, a row each. */
export function stormCsv(rows: readonly Row[]): string {
  const sorted = rows.toSorted((a, b) => a.trial.index - b.trial.index);
  return formatCsv(
    COLUMNS,
    sorted.map(({ trial, lived, differs, seconds }) => [
      trial.index,
      trial.kind.name,
      trial.guest.name,
      trial.vcpus,
      trial.policy,
      trial.from,
      lived.events,
      lived.ended,
      hashWord(lived.hash),
      lived.transcript.slice(0, 16),
      differs.join(' '),
      lived.cause ?? '',
      seconds.toFixed(1),
    ]),
  );
}

/** The hash without the counts that stand beside it. */
function hashWord(text: string): string {
  return /[0-9a-f]{16}/.exec(text)?.[0] ?? text;
}

export interface StormFacts {
  readonly command: string;
  /** ISO date. */
  readonly date: string;
  readonly kinds: readonly Disturbance[];
}

/** Markdown: a line for each kind, one for each guest, and what this host could not do. */
export function stormTable(rows: readonly Row[], { command, date, kinds }: StormFacts): string[] {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const sums = (of: readonly Row[]) => [
    of.length,
    of.filter(({ trial }) => trial.from === 'boot').length,
    of.reduce((sum, { lived }) => sum + lived.events, 0),
    of.filter(({ differs }) => differs.length > 0).length,
  ];
  const heads = ['trials', 'of these boots', 'disturbed so often', 'differences'];
  const able = kinds.filter(({ obstacle }) => obstacle?.() === undefined);
  const guests = [...new Set(rows.map(({ trial }) => trial.guest.name))].sort();
  const unable = kinds.flatMap(({ name, obstacle }) => {
    const why = obstacle?.();
    return why === undefined ? [] : [`- \`${name}\` was skipped: ${why}`];
  });
  return [
    `\`${command}\`, ${date}`,
    '',
    line(['kind', 'what is done', ...heads]),
    line(['---', '---', ...heads.map(() => '---:')]),
    ...able.map(({ name, about }) =>
      line([name, about, ...sums(rows.filter(({ trial }) => trial.kind.name === name))]),
    ),
    line(['all', '', ...sums(rows)]),
    '',
    line(['guest', ...heads]),
    line(['---', ...heads.map(() => '---:')]),
    ...guests.map((name) => line([name, ...sums(rows.filter(({ trial }) => trial.guest.name === name))])),
    ...(unable.length === 0 ? [] : ['', ...unable]),
  ];
}
