// SPDX-License-Identifier: Apache-2.0
import { formatCsv } from '../../core/csv.ts';
import { isSound, type Row } from './campaign.ts';
import type { Kind } from './kind.ts';

const COLUMNS = [
  'round',
  'subject',
  'kind',
  'faults',
  'what',
  'resumes',
  'told',
  'lost',
  'changed',
  'orphans',
  'leaked',
  'fault',
  'seconds',
] as const;

/** Every round, a row each. */
export function faultsCsv(rows: readonly Row[]): string {
  return formatCsv(
    COLUMNS,
    rows.map((row) =>
      COLUMNS.map((column) => {
        if (column === 'leaked') return row.leaked.join(' ');
        if (column === 'seconds') return row.seconds.toFixed(1);
        return row[column];
      }),
    ),
  );
}

export interface Facts {
  readonly command: string;
  /** ISO date. */
  readonly date: string;
  readonly kinds: readonly Kind[];
}

/** Markdown: sums, then a line for each kind, then what could not be tried. */
export function faultsTable(rows: readonly Row[], { command, date, kinds }: Facts): string[] {
  const tried = kinds.filter(({ name, subject }) =>
    rows.some((row) => row.kind === name && row.subject === subject),
  );
  const heads = [
    'subject',
    'kind',
    'rounds',
    'faults',
    'gone on with',
    'asked first',
    'lost',
    'changed',
    'orphans',
    'files left',
  ];
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const unsound = rows.filter((row) => !isSound(row));
  const obstacles = kinds.flatMap(({ name, subject, obstacle }) => {
    const why = obstacle?.();
    return why === undefined ? [] : [`- ${name} (${subject}): ${why}`];
  });
  return [
    `\`${command}\`, ${date}: ${sumWords(rows)}.`,
    '',
    line(heads),
    line(heads.map((_, at) => (at < 2 ? '---' : '---:'))),
    ...tried.map(({ name, subject }) => {
      const own = rows.filter((row) => row.kind === name && row.subject === subject);
      const sum = (of: (row: Row) => number) => own.reduce((total, row) => total + of(row), 0);
      return line([
        subject,
        name,
        own.length,
        sum(({ faults }) => faults),
        sum(({ resumes }) => Math.min(1, resumes)),
        own.filter(({ told }) => told !== undefined).length,
        sum(({ lost }) => lost),
        sum(({ changed }) => changed),
        sum(({ orphans }) => orphans),
        sum(({ leaked }) => leaked.length),
      ]);
    }),
    '',
    ...tried
      .map(({ name, about }) => [name, about] as const)
      .filter(([name], at, all) => all.findIndex(([other]) => other === name) === at)
      .map(([name, about]) => `- \`${name}\`: ${about}.`),
    ...(obstacles.length === 0 ? [] : ['', 'Not tried on this host:', '', ...obstacles]),
    ...(unsound.length === 0
      ? []
      : ['', 'Not as an undisturbed one:', '', ...unsound.map((row) => `- ${roundWords(row)}`)]),
  ];
}

/** `500 faults in 431 rounds: 0 records lost, 0 changed, 0 orphans, 0 files left`. */
export function sumWords(rows: readonly Row[]): string {
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
  const faults = sum((row) => row.faults);
  const bad = rows.filter((row) => row.fault !== undefined).length;
  return (
    `${faults} faults in ${rows.length} rounds: ${sum(({ lost }) => lost)} records lost, ${sum(({ changed }) => changed)} changed, ` +
    `${sum(({ orphans }) => orphans)} orphans, ${sum(({ leaked }) => leaked.length)} files left, ${bad} other results than undisturbed`
  );
}

/** A round in one line. */
export function roundWords(row: Row): string {
  const result = isSound(row)
    ? row.told === undefined
      ? row.resumes === 0
        ? 'went on by itself'
        : 'the same result'
      : 'told, put right, the same result'
    : [
        row.fault,
        row.lost > 0 ? `${row.lost} lost` : undefined,
        row.changed > 0 ? `${row.changed} changed` : undefined,
        row.orphans > 0 ? `${row.orphans} orphans` : undefined,
        row.leaked.length > 0 ? `left: ${row.leaked.join(', ')}` : undefined,
      ]
        .filter((words) => words !== undefined)
        .join('; ');
  return `${row.subject}  ${row.kind}  ${row.what}: ${result}`;
}
