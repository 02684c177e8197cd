// SPDX-License-Identifier: Apache-2.0
import type { Interval } from '../stats/bootstrap-mean.ts';
import { randomWords } from '../stats/random.ts';
import type { OutcomeRow, OutcomeTable } from '../tables/outcome-types.ts';
import { simulate, type Truth } from './experiment.ts';

/** Columns of `coverage.csv`; its README says what they mean. */
export const COVERAGE_COLUMNS = [
  'noise',
  'n',
  'experiments',
  'quantity',
  'method',
  'share',
  'error',
  'wanted',
  'met',
] as const;
export type CoverageRow = Readonly<Record<(typeof COVERAGE_COLUMNS)[number], string | number>>;

/** What is counted in each experiment. */
interface Count {
  readonly quantity: string;
  readonly method: string;
  /** Bounds of the share that is wanted; none where the figure only informs. */
  readonly wanted?: readonly [low: number, high: number];
  /** How many of how many, in one experiment. */
  readonly of: (table: OutcomeTable, truth: Truth) => readonly [hits: number, tries: number];
}

const COVERAGE = [0.93, 0.97] as const;

const COUNTS: readonly Count[] = [
  {
    quantity: 'coverage',
    method: 'paired-t',
    wanted: COVERAGE,
    of: covered(({ ratio }) => (ratio?.kind === 'interval' ? ratio : undefined)),
  },
  { quantity: 'coverage', method: 'percentile', of: covered(({ statistics }) => statistics?.percentile) },
  { quantity: 'coverage', method: 'bca', of: covered(({ statistics }) => statistics?.bca) },
  { quantity: 'A/A false alarm', method: 'paired-t interval excludes 1', of: excludesOne },
];

/** Counts over `experiments` simulated ones. The same arguments give the same rows. */
export function coverageRows(noise: string, truth: Truth, experiments: number, seed: number): CoverageRow[] {
  const sums = COUNTS.map(() => [0, 0] as [number, number]);
  for (let at = 0; at < experiments; at++) {
    const table = simulate(truth, randomWords(seed, noise, truth.blocks, at));
    COUNTS.forEach(({ of }, which) => {
      const [hits, tries] = of(table, truth);
      const sum = sums[which] as [number, number];
      sum[0] += hits;
      sum[1] += tries;
    });
  }
  return COUNTS.map(({ quantity, method, wanted }, which) => {
    const [hits, tries] = sums[which] as [number, number];
    const share = hits / tries;
    const counted = { noise, n: truth.blocks, experiments, quantity, method, share };
    return shareRow({ ...counted, ...(wanted === undefined ? {} : { wanted }) });
  });
}

/** A row of a share, with its standard error and whether it is as wanted. */
export function shareRow(counted: {
  readonly noise: string;
  readonly n: number;
  readonly experiments: number;
  readonly quantity: string;
  readonly method: string;
  readonly share: number;
  readonly wanted?: readonly [low: number, high: number];
}): CoverageRow {
  const { wanted, ...rest } = counted;
  const { share, experiments } = rest;
  // Cells of one experiment share a baseline: the experiments are what is independent.
  const error = Math.sqrt((share * (1 - share)) / experiments);
  if (wanted === undefined) return { ...rest, error, wanted: '', met: '' };
  const [low, high] = wanted;
  const words = low === 0 ? `at most ${high}` : `${low} to ${high}`;
  return { ...rest, error, wanted: words, met: metWords(share, error, low, high) };
}

/** A share that is out of bounds by less than two standard errors may be chance; it is said, not counted as met. */
function metWords(share: number, error: number, low: number, high: number): string {
  if (share >= low && share <= high) return 'yes';
  return share >= low - 2 * error && share <= high + 2 * error ? 'within error' : 'no';
}

function rowOf(table: OutcomeTable, which: (row: OutcomeRow) => boolean): OutcomeRow {
  const row = table.rows.find(which);
  if (row === undefined) throw new Error('the simulated experiment lacks a row');
  return row;
}

const effectRow = (table: OutcomeTable) => rowOf(table, ({ policy }) => policy === 'effect');

function covered(interval: (row: OutcomeRow) => Interval | undefined): Count['of'] {
  return (table, { ratio }) => {
    const own = interval(effectRow(table));
    return [own !== undefined && own.low <= ratio && ratio <= own.high ? 1 : 0, 1];
  };
}

function excludesOne(table: OutcomeTable): readonly [number, number] {
  const { ratio } = rowOf(table, ({ role }) => role === 'aa');
  return [ratio?.kind === 'interval' && (ratio.low > 1 || ratio.high < 1) ? 1 : 0, 1];
}
