// SPDX-License-Identifier: Apache-2.0
import { TIME_AFTER } from '../../harness/core/metric.ts';
import type { EngineName } from '../../harness/core/trial.ts';
import { familyCorrelation } from '../stats/judge-family.ts';
import type { NoRatio } from '../stats/paired-ratio.ts';
import { LEAST_BLOCKS, MOST_FAILURES, type Verdict } from '../stats/verdict.ts';
import { formatRatio, policyLabel, rowGroups } from './cells.ts';
import type { ControlState, OutcomeRow, OutcomeTable } from './outcome-types.ts';
import { pointWords } from './point-words.ts';
import { failureRate, unrankedLeaders } from './rank.ts';

/** What the numbers of each engine are not. */
const ENGINE_NOTES: Readonly<Record<EngineName, string>> = {
  exact:
    'engine exact: time is instructions, not cycles: no cache, no branch predictor, no memory bandwidth, no cost of migration',
  tcg: 'engine tcg: emulated in real time: wake-ups across CPUs are inflated, and host load changes the figures',
  kvm: 'engine kvm: real time on this host: its other work changes the figures',
  native:
    "engine native: no machine at all: the image's programs on this host, under its own kernel and scheduler",
  mock: 'engine mock: made-up figures for tests; they say nothing about any scheduler',
};

/** Sentences that belong under a table, the most important first. */
export function tableNotes(table: Omit<OutcomeTable, 'notes'>): string[] {
  const { rows, engines, counterfactual, planned, recorded } = table;
  const notes: string[] = [];
  if (recorded < planned)
    notes.push(`not finished: ${recorded} of ${planned} planned trials are recorded so far`);
  if (engines.length > 1) {
    notes.push(`trials ran on several engines (${engines.join(', ')}): never compared with each other here`);
  }
  notes.push(...engines.map((engine) => ENGINE_NOTES[engine]));
  if (counterfactual === 'fork' && engines.some((engine) => engine !== 'exact')) {
    notes.push(
      'forks that are not exact: policies start from the same state of the machine, and what follows also differs by the noise of the engine',
    );
  }
  notes.push(...pointNotes(rows));
  notes.push(...methodNotes(table));
  notes.push(...rows.flatMap((row) => rowNotes(row, rows)));
  const groups = rowGroups({ rows });
  notes.push(...groups.flatMap((group) => baselineNotes(group, rows)));
  notes.push(...groups.flatMap((group) => leaderNotes(group, rows)));
  return notes;
}

function pointNotes(rows: readonly OutcomeRow[]): string[] {
  const inRun = [...new Set(rows.map(({ point }) => point))].filter((point) => point !== 'quiescent');
  if (inRun.length === 0) return [];
  const shared = `at ${inRun.join(', ')}: policies take over in the run; a workload's own metrics include what came before, the same under all`;
  const after = `${TIME_AFTER}: from there to the end of the run`;
  return rows.some(({ metric }) => metric?.name === TIME_AFTER) ? [`${shared}; ${after}`] : [shared];
}

function methodNotes({ rows, baseline, margin, looks }: Omit<OutcomeTable, 'notes'>): string[] {
  const notes: string[] = [];
  const kinds = new Set(rows.map(({ ratio }) => ratio?.kind));
  if (kinds.has('interval') || kinds.has('point')) {
    notes.push(
      `ratio: geometric mean of metric / metric under ${baseline} in the same block; n: such pairs of blocks`,
    );
  }
  if (kinds.has('interval')) {
    notes.push('interval: 95 %, paired t on logarithms, of each cell alone', ...verdictNotes(rows, margin));
  }
  if (rows.some(({ verdict }) => verdict === 'too few blocks')) {
    notes.push(`too few blocks: fewer than ${LEAST_BLOCKS} pairs give no verdict`);
  }
  if (rows.some(({ verdict }) => verdict === 'fails')) {
    notes.push(`fails: more than ${100 * MOST_FAILURES} % of its trials did not complete`);
  }
  if (kinds.has('interval') && looks > 1) {
    notes.push(
      `the run looked up to ${looks} times whether its intervals were narrow enough: each is a ${Number((100 - 5 / looks).toFixed(2))} % interval, and p is multiplied by ${looks}, so that both hold wherever it stopped`,
    );
  }
  const hosts = Math.max(...rows.map((row) => row.hosts ?? 0));
  if (rows.some(({ ratio }) => ratio?.kind === 'interval' && ratio.method === 'host-means-t')) {
    notes.push(
      `blocks are of ${hosts} hosts or labs: each counts once, with the mean of its blocks, and interval, p and power are of these means`,
    );
  }
  if (rows.some(({ ratio }) => ratio?.kind === 'interval' && ratio.zeroWidth)) {
    notes.push(
      'no spread: every block gave exactly the same ratio; p is by the spread of the other cells, or a sign test where none has any',
    );
  }
  return notes;
}

/** By what the verdicts are given; only where one was. */
function verdictNotes(rows: readonly OutcomeRow[], margin: number): string[] {
  const tested = rows.filter(({ role, tested }) => role === 'measure' && tested !== undefined);
  if (!rows.some(({ verdict }) => verdict !== undefined && TESTED.has(verdict))) return [];
  const family = rows.filter((row) => row.role === 'measure' && row.planned + row.recorded > 0).length;
  const width = `${formatRatio(1 / margin)} to ${formatRatio(margin)}`;
  const correlation = familyCorrelation(tested.flatMap(({ evidence }) => evidence ?? []));
  const drift =
    correlation < 0.005 ? '' : `, and allows for a correlation of ${correlation.toFixed(2)} between blocks`;
  return [
    `better, worse: the true ratio is outside ${width}; equivalent: within; undecided: neither is shown`,
    `at most 5 % of tables hold a false better or worse, and at most 5 % a false equivalent`,
    `p: t test of that, corrected over all ${family} measured cells (Holm); where equivalent, the p of equivalence`,
    `its variance is the larger one of the cell's own and of that moderated by all cells and null controls${drift}`,
    ...(rows.some(({ role }) => role === 'aa')
      ? []
      : [
          'no null control (A/A): nothing shows how the baseline differs from itself (controls: [aa] in the spec)',
        ]),
  ];
}

const TESTED: ReadonlySet<Verdict> = new Set(['better', 'worse', 'equivalent', 'undecided']);

/** What is odd about one row. */
function rowNotes(row: OutcomeRow, rows: readonly OutcomeRow[]): string[] {
  const { ratio, statistics, role, n, planned, recorded } = row;
  const place = `${row.workload} ${row.variant}${pointWords(row, rows)}, ${policyLabel(row)}`;
  const notes: string[] = [];
  if (ratio?.kind === 'none' && ratio.why !== 'no-pairs') {
    notes.push(`${place}: no ratio, because ${NO_RATIO[ratio.why]}`);
  }
  if (n > 0 && n < planned && recorded === planned && role !== 'baseline') {
    notes.push(`${place}: ${n} of ${planned} blocks have both values; the ratio is of these alone`);
  }
  for (const { block, ratio: odd } of statistics?.outliers ?? []) {
    notes.push(
      `${place}: block ${block} is far from the others (ratio ${formatRatio(odd)}); it counts like them`,
    );
  }
  return notes;
}

const NO_RATIO: Readonly<Record<Exclude<NoRatio, 'no-pairs'>, string>> = {
  'not-positive': 'a value is zero or negative',
  'not-finite': 'a value is not finite',
  'out-of-range': 'it is beyond what a number can be',
};

/** Why nothing is decided on a workload, whatever its policies show. */
function baselineNotes(group: readonly OutcomeRow[], rows: readonly OutcomeRow[]): string[] {
  const [first] = group;
  if (first === undefined || !group.some(({ verdict }) => verdict !== undefined)) return [];
  const place = `${first.workload} ${first.variant}${pointWords(first, rows)}`;
  const own = group.filter(({ role }) => role !== 'measure');
  const failed = own.flatMap(({ failures }) => failures).reduce((sum, { trials }) => sum + trials.length, 0);
  const recorded = own.reduce((sum, row) => sum + row.recorded, 0);
  // Where there are too few blocks anyway, that is what is said.
  const state = group.find(({ control, n }) => control !== undefined && n >= LEAST_BLOCKS)?.control;
  return [
    ...(failureRate(own) > MOST_FAILURES
      ? [
          `${place}: ${failed} of ${recorded} trials of the baseline did not complete, so nothing is decided and nothing has a rank`,
        ]
      : []),
    ...(state === undefined ? [] : [`${place}: ${CONTROL_WORDS[state]}, so nothing is decided`]),
  ];
}

const CONTROL_WORDS: Readonly<Record<ControlState, string>> = {
  missing: `the planned null control (A/A) has fewer than ${LEAST_BLOCKS} pairs`,
  differs: 'the baseline differs from itself (A/A) although nothing but the seed does',
};

/** A policy that fails is never first without a word. */
function leaderNotes(group: readonly OutcomeRow[], rows: readonly OutcomeRow[]): string[] {
  return unrankedLeaders(group).map((row) => {
    const failed = row.failures.reduce((sum, { trials }) => sum + trials.length, 0);
    return `${row.workload} ${row.variant}${pointWords(row, rows)}, ${policyLabel(row)}: would rank first, but ${failed} of ${row.recorded} trials did not complete, so it has no rank`;
  });
}
