// SPDX-License-Identifier: Apache-2.0
import { TIME_AFTER } from '../../harness/core/metric.ts';
import type { EngineName } from '../../harness/core/trial.ts';
import { formatRatio, policyLabel, rowGroups } from './cells.ts';
import type { OutcomeRow, OutcomeTable } from './outcome-types.ts';
import { pointWords } from './point-words.ts';
import { unrankedLeaders } from './rank.ts';

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
  notes.push(...rowGroups({ rows }).flatMap((group) => leaderNotes(group, rows)));
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
  const tests = rows.filter(({ adjusted }) => adjusted !== undefined).length;
  if (kinds.has('interval') || kinds.has('point')) {
    notes.push(
      `ratio: geometric mean of metric / metric under ${baseline} in the same block; n: such pairs of blocks`,
    );
  }
  if (kinds.has('interval')) {
    const width = `${formatRatio(1 / margin)} to ${formatRatio(margin)}`;
    notes.push(
      'interval: 95 %, paired t on logarithms, of each cell alone; ' +
        `p: sign-flip test, Holm's correction over all measured cells (${tests})`,
      `better, worse: the interval lies wholly outside the noise floor; equivalent: its 90 % core lies within ${width}; undecided: neither`,
      ...floorNotes(rows),
    );
  }
  if (kinds.has('interval') && looks > 1) {
    notes.push(
      `the run looked up to ${looks} times whether its intervals were narrow enough: each is a ${Number((100 - 5 / looks).toFixed(2))} % interval, so that 95 % hold wherever it stopped`,
    );
  }
  const hosts = Math.max(...rows.map((row) => row.hosts ?? 0));
  if (rows.some(({ ratio }) => ratio?.kind === 'interval' && ratio.method === 'host-means-t')) {
    notes.push(
      `blocks are of ${hosts} hosts or labs: each counts once, with the mean of its blocks, and interval, p and power are of these means`,
    );
  }
  if (rows.some(({ ratio }) => ratio?.kind === 'interval' && ratio.zeroWidth)) {
    notes.push('no spread: every block gave exactly the same ratio, so the interval has width 0');
  }
  const pairs = rows.flatMap(({ adjusted, n }) => (adjusted === undefined ? [] : [n]));
  const least = Math.min(...pairs);
  if (2 / 2 ** least > 0.05) {
    notes.push(
      `p of ${least} pairs is never below ${2 / 2 ** least}: there are only 2^${least} ways to flip their signs`,
    );
  }
  if (kinds.has('point')) notes.push('one pair of blocks gives no interval, and so no verdict');
  return notes;
}

function floorNotes(rows: readonly OutcomeRow[]): string[] {
  const without = rowGroups({ rows })
    .flatMap(([first]) => first ?? [])
    .filter(({ floor }) => floor === undefined);
  const notes = rows.some(({ floor }) => floor !== undefined)
    ? ["noise floor: the end of the A/A control's interval that is farther from 1"]
    : [];
  const all = without.length === rowGroups({ rows }).length;
  const which = all ? '' : ` for ${[...new Set(without.map(({ workload }) => workload))].join(', ')}`;
  if (without.length > 0) {
    notes.push(
      `no A/A control with an interval${which}: the noise floor is unknown, and the margin of equivalence takes its place (controls: [aa] in the spec measures it)`,
    );
  }
  return notes;
}

/** What is odd about one row. */
function rowNotes(row: OutcomeRow, rows: readonly OutcomeRow[]): string[] {
  const { ratio, statistics, role, n, planned, recorded } = row;
  const place = `${row.workload} ${row.variant}${pointWords(row, rows)}, ${policyLabel(row)}`;
  const notes: string[] = [];
  if (ratio?.kind === 'none' && ratio.why === 'not-positive') {
    notes.push(`${place}: no ratio, because a value is zero or negative`);
  }
  if (role === 'aa' && ratio?.kind === 'interval' && (ratio.low > 1 || ratio.high < 1)) {
    notes.push(
      `${place}: the interval leaves out 1 although nothing differs but the seed: trust no smaller difference here`,
    );
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

/** A policy that fails is never first without a word. */
function leaderNotes(group: readonly OutcomeRow[], rows: readonly OutcomeRow[]): string[] {
  return unrankedLeaders(group).map((row) => {
    const failed = row.failures.reduce((sum, { trials }) => sum + trials.length, 0);
    return `${row.workload} ${row.variant}${pointWords(row, rows)}, ${policyLabel(row)}: would rank first, but ${failed} of ${row.recorded} trials did not complete, so it has no rank`;
  });
}
