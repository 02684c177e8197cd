// SPDX-License-Identifier: Apache-2.0
import { LEAST_BLOCKS } from '../../analysis/stats/verdict.ts';
import { pointWords } from '../../analysis/tables/point-words.ts';
import type { FlatRow } from '../../analysis/tables/table-rows.ts';
import { lostTrials, ratioWords, unique } from '../figures/style.ts';
import { changeWords } from './change-words.ts';

/** What a run shows, in words. */
export interface Findings {
  /** One or two sentences about all of it. */
  readonly lead: readonly string[];
  readonly policies: readonly PolicyFindings[];
  /** The baseline against itself. */
  readonly control: readonly string[];
  /** What a reader may have hoped for and the run does not give. */
  readonly notShown: readonly string[];
}

export interface PolicyFindings {
  readonly policy: string;
  readonly better: readonly string[];
  readonly worse: readonly string[];
  readonly equivalent: readonly string[];
  readonly undecided: readonly string[];
  /** With the failures that leave no verdict about its figures. */
  readonly fails: readonly string[];
  readonly tooFew: readonly string[];
  /** Workloads without a ratio, and why. */
  readonly without: readonly string[];
  /** `all 70 trials completed`, or how many did not and how they ended. */
  readonly trials: string;
  readonly failureRate: number;
}

/** The findings of a table's rows, policies in the table's order. Pure. */
export function findingsOf(rows: readonly FlatRow[], { baseline }: { readonly baseline: string }): Findings {
  const measured = rows.filter(({ role }) => role === 'measure');
  const policies = unique(measured.map(({ policy }) => `${policy}`));
  return {
    lead: leadOf(measured, baseline),
    policies: policies.map((policy) =>
      policyFindings(
        policy,
        measured.filter((row) => row.policy === policy),
        rows,
      ),
    ),
    control: controlOf(rows, baseline),
    notShown: notShownOf(measured, rows),
  };
}

/** `hackbench`, with the parameters and the point where a run has several. */
export function placeName(row: FlatRow, rows: readonly FlatRow[]): string {
  const variants = unique(
    rows.filter(({ workload }) => workload === row.workload).map(({ variant }) => variant),
  );
  const variant = variants.length > 1 ? ` (${`${row.variant}`.replaceAll(',', ', ')})` : '';
  const engines = unique(rows.map(({ engine }) => engine));
  return `${row.workload}${variant}${pointWords(row, rows)}${engines.length > 1 ? ` on ${row.engine}` : ''}`;
}

function leadOf(measured: readonly FlatRow[], baseline: string): string[] {
  const policies = unique(measured.map(({ policy }) => policy)).length;
  if (policies === 0) return [`There is no policy besides ${baseline} in this run, so nothing is compared.`];
  const places = unique(
    measured.map((row) => JSON.stringify([row.engine, row.workload, row.variant, row.point])),
  );
  const count = (verdict: string) => measured.filter((row) => row.verdict === verdict).length;
  const without = measured.filter(({ verdict }) => verdict === undefined).length;
  const parts = [
    `better in ${count('better')}`,
    `worse in ${count('worse')}`,
    `equivalent in ${count('equivalent')}`,
    `undecided in ${count('undecided')}`,
    ...(['too few blocks', 'fails'] as const).flatMap((verdict) =>
      count(verdict) === 0 ? [] : [`${verdict === 'fails' ? 'failing' : verdict} in ${count(verdict)}`],
    ),
    ...(without === 0 ? [] : [`without a verdict in ${without}`]),
  ];
  const cells = plural(measured.length, 'comparison');
  const lead = `${plural(policies, 'policy', 'policies')} against ${baseline} on ${plural(places.length, 'workload')}, ${cells}: ${parts.join(', ')}.`;
  return [lead, ...correctionOf(measured)];
}

/** What the verdicts hold for, all together. */
function correctionOf(measured: readonly FlatRow[]): string[] {
  const tests = measured.filter(({ p_differs }) => typeof p_differs === 'number').length;
  if (tests === 0) return [];
  return [
    `Verdicts are corrected for all ${measured.length} comparisons together: at most 5 % of such reports hold a false better or worse, and at most 5 % a false equivalent.`,
  ];
}

function policyFindings(policy: string, own: readonly FlatRow[], rows: readonly FlatRow[]): PolicyFindings {
  const ofVerdict = (verdict: string) =>
    own
      .filter((row) => row.verdict === verdict)
      .sort((a, b) => size(b) - size(a))
      .map((row) => cellWords(row, rows));
  const planned = own.reduce((sum, row) => sum + Number(row.planned), 0);
  const recorded = own.reduce((sum, row) => sum + Number(row.recorded), 0);
  const completed = own.reduce((sum, row) => sum + Number(row.completed), 0);
  return {
    policy,
    better: ofVerdict('better'),
    worse: ofVerdict('worse'),
    equivalent: ofVerdict('equivalent'),
    undecided: ofVerdict('undecided'),
    fails: own.filter(({ verdict }) => verdict === 'fails').map((row) => withoutWords(row, rows)),
    tooFew: ofVerdict('too few blocks'),
    without: own.filter(({ verdict }) => verdict === undefined).map((row) => withoutWords(row, rows)),
    trials: trialWords(own, { planned, recorded, completed }),
    failureRate: recorded === 0 ? 0 : 1 - completed / recorded,
  };
}

function cellWords(row: FlatRow, rows: readonly FlatRow[]): string {
  const { ratio, low, high } = row as { ratio?: number; low?: number; high?: number };
  const lost = lostTrials(row);
  const words = ratio === undefined ? 'no ratio' : changeWords(ratio, low, high);
  const but = lost.length === 0 ? '' : `, but ${lost.join(', ')} of ${row.planned}`;
  return `${placeName(row, rows)}: ${row.metric} ${words}, n = ${row.n}${but}`;
}

function withoutWords(row: FlatRow, rows: readonly FlatRow[]): string {
  const lost = lostTrials(row);
  const one =
    row.ratio === undefined
      ? ''
      : `ratio ${ratioWords(Number(row.ratio))} of ${plural(Number(row.n), 'pair')} of blocks`;
  const why = [one, ...lost].filter((part) => part !== '');
  return `${placeName(row, rows)}: ${why.length === 0 ? 'no pair of positive values' : why.join(', ')}`;
}

function trialWords(
  own: readonly FlatRow[],
  { planned, recorded, completed }: { planned: number; recorded: number; completed: number },
): string {
  const open = recorded < planned ? `; ${planned - recorded} of ${planned} planned are not recorded yet` : '';
  if (completed === recorded)
    return recorded === 0 ? `no trial recorded${open}` : `all ${recorded} recorded trials completed${open}`;
  const states = (['failed', 'ejected', 'refused', 'timed-out', 'crashed'] as const).flatMap((state) => {
    const count = own.reduce((sum, row) => sum + Number(row[state]), 0);
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return `${recorded - completed} of ${recorded} recorded trials did not complete (${states.join(', ')})${open}`;
}

function controlOf(rows: readonly FlatRow[], baseline: string): string[] {
  const controls = rows.filter((row) => row.role === 'aa' && row.ratio !== undefined);
  if (controls.length === 0) {
    return [
      `This run has no null control with a result, so how much ${baseline} differs from itself is not known. A spec asks for one with controls: [aa].`,
    ];
  }
  const [worst] = controls.toSorted((a, b) => size(b) - size(a)) as [FlatRow];
  const off = controls.filter(({ verdict }) => verdict === 'better' || verdict === 'worse');
  const judged = controls.filter(
    ({ p_differs, n }) => typeof p_differs === 'number' && Number(n) >= LEAST_BLOCKS,
  );
  return [
    `${baseline} ran against itself with other seeds on ${plural(controls.length, 'workload')}. The largest difference is on ${cellWords(worst, rows)}.`,
    ...(judged.length === 0
      ? [`No control has the ${LEAST_BLOCKS} pairs that a verdict needs.`]
      : [
          off.length === 0
            ? `By the rule that policies are held to, it is nowhere better or worse than itself (${judged.length} of ${controls.length} have pairs enough to be judged).`
            : `By the rule that policies are held to, it differs from itself on ${off.map((row) => placeName(row, rows)).join(', ')}: nothing is decided there.`,
        ]),
  ];
}

function notShownOf(measured: readonly FlatRow[], rows: readonly FlatRow[]): string[] {
  const undecided = measured.filter(({ verdict }) => verdict === 'undecided');
  const detectable = undecided.filter(({ detectable: factor }) => typeof factor === 'number');
  const words = undecided.map((row) => {
    const factor = detectable.includes(row)
      ? `; with this spread ${row.n} pairs would have shown a factor of ${Number(row.detectable).toPrecision(3)} four times in five`
      : '';
    return `${row.policy} on ${placeName(row, rows)} is undecided (ratio ${ratioWords(Number(row.ratio))}, ${ratioWords(Number(row.low))} to ${ratioWords(Number(row.high))}, n = ${row.n}${factor})`;
  });
  const lost = measured
    .filter(({ verdict }) => verdict === undefined || verdict === 'fails' || verdict === 'too few blocks')
    .map((row) => `${row.policy} on ${withoutWords(row, rows)}`);
  return [...words, ...lost];
}

/** How far a ratio is from 1, whichever way. */
function size({ ratio }: FlatRow): number {
  return typeof ratio === 'number' && ratio > 0 ? Math.abs(Math.log(ratio)) : 0;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
