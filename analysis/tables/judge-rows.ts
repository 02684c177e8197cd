// SPDX-License-Identifier: Apache-2.0
import { familyCorrelation, judgeFamily } from '../stats/judge-family.ts';
import { LEAST_BLOCKS, verdict } from '../stats/verdict.ts';
import { rowGroups } from './cells.ts';
import type { ControlState, OutcomeRow } from './outcome-types.ts';
import { failureRate } from './rank.ts';

/**
 * Rows with their verdicts. All measured cells are one family of tests; the null controls are another, and are held to the same rule: one
 * that differs from the baseline that it is, or was planned and is not there, leaves its workload undecided.
 */
export function judgeRows(
  rows: readonly OutcomeRow[],
  family: { readonly margin: number; readonly looks: number; readonly power: boolean },
): OutcomeRow[] {
  const measured = rows.filter(isTried);
  const controls = rows.filter(({ role }) => role === 'aa');
  const evidence = (of: readonly OutcomeRow[]) => of.flatMap((row) => row.evidence ?? []);
  const correlation = familyCorrelation(evidence(measured));
  const test = (of: readonly OutcomeRow[], others: readonly OutcomeRow[]) => {
    const tested = judgeFamily(
      of.map((row) => row.evidence),
      { ...family, correlation, controls: evidence(others) },
    );
    return of.map((row, at) => [row, tested[at]] as const);
  };
  const tested = new Map([...test(measured, controls), ...test(controls, measured)]);
  return rowGroups({ rows }).flatMap((group) => {
    const baseline = group.find(({ role }) => role === 'baseline');
    const control = group.find(({ role }) => role === 'aa');
    const judged = (row: OutcomeRow, state: ControlState | undefined): OutcomeRow => {
      const { ratio, recorded, metric } = row;
      const own = tested.get(row);
      const word =
        ratio === undefined || recorded === 0
          ? undefined
          : verdict(ratio, own, {
              direction: metric?.direction ?? 'lower',
              failureRate: failureRate([row]),
              // The null control is the baseline once more: its failures are the baseline's.
              baselineFailureRate: failureRate([baseline, control].filter((each) => each !== undefined)),
              controlFailed: state !== undefined,
            });
      return {
        ...row,
        ...(own === undefined ? {} : { tested: own }),
        ...(word === undefined ? {} : { verdict: word }),
        ...(state === undefined ? {} : { control: state }),
      };
    };
    const aa = control === undefined ? undefined : judged(control, undefined);
    const state = controlState(aa);
    return group.map((row) => (row === control ? (aa as OutcomeRow) : judged(row, state)));
  });
}

/** Of a policy that is compared, and not planned only to be left out: what failed belongs to the family too. */
function isTried({ role, planned, recorded }: OutcomeRow): boolean {
  return role === 'measure' && planned + recorded > 0;
}

function controlState(control: OutcomeRow | undefined): ControlState | undefined {
  if (control === undefined) return undefined;
  if (control.verdict === 'better' || control.verdict === 'worse') return 'differs';
  return control.ratio?.kind === 'interval' && control.n >= LEAST_BLOCKS ? undefined : 'missing';
}
