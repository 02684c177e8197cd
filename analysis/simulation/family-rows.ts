// SPDX-License-Identifier: Apache-2.0
import { looksOf } from '../../harness/core/looks.ts';
import { randomWords } from '../stats/random.ts';
import type { OutcomeRow } from '../tables/outcome-types.ts';
import { type CoverageRow, shareRow } from './coverage-rows.ts';
import { type FamilyTruth, familyTable, simulateFamily } from './family.ts';

/** A family without differences, with its name, and the share of tables with a false verdict that is wanted at most. */
export interface FamilyCase {
  readonly noise: string;
  readonly truth: Omit<FamilyTruth, 'ratio' | 'first' | 'workloads'>;
  readonly atMost?: number;
}

const isClaim = ({ role, verdict }: OutcomeRow) =>
  role === 'measure' && (verdict === 'better' || verdict === 'worse');
const isEquivalent = ({ role, verdict }: OutcomeRow) => role === 'measure' && verdict === 'equivalent';

/**
 * Shares of whole tables that hold a false verdict. Where nothing differs `better` and `worse` are false; where each true ratio is the margin
 * itself, so are they and `equivalent`. A null control that is `better` or `worse` than itself is a false alarm.
 */
export function familyRows(
  { noise, truth, atMost }: FamilyCase,
  workloads: number,
  blocks: number,
  experiments: number,
  seed: number,
): CoverageRow[] {
  const method = `${workloads * truth.policies.length} cells`;
  const counts = { claims: 0, alarms: 0, edge: 0, equivalent: 0 };
  for (let at = 0; at < experiments; at++) {
    const words = randomWords(seed, 'family', noise, method, blocks, at);
    const none = familyTable(simulateFamily({ ...truth, workloads, ratio: 1, first: 1 }, blocks, words)).rows;
    if (none.some(isClaim)) counts.claims++;
    if (none.some(({ role, verdict }) => role === 'aa' && (verdict === 'better' || verdict === 'worse')))
      counts.alarms++;
    const edge = familyTable(
      simulateFamily({ ...truth, workloads, ratio: 1.02, first: 1.02 }, blocks, words),
    ).rows;
    if (edge.some(isClaim)) counts.edge++;
    if (edge.some(isEquivalent)) counts.equivalent++;
  }
  const row = (quantity: string, count: number) =>
    shareRow({
      ...{ noise, n: blocks, experiments, quantity, method, share: count / experiments },
      ...(atMost === undefined ? {} : { wanted: [0, atMost] as const }),
    });
  return [
    row('tables with a false better or worse', counts.claims),
    row('tables with a false better or worse, each true ratio at the margin', counts.edge),
    row('tables with a false equivalent, each true ratio at the margin', counts.equivalent),
    row('tables with a null control better or worse than itself', counts.alarms),
  ];
}

/** How often one true difference among cells without any is found, and how often the others are called equivalent, by the spread of a pair. */
export function powerRows(
  paired: number,
  workloads: number,
  blocks: number,
  experiments: number,
  seed: number,
): CoverageRow[] {
  const policies = [1, 1, 1, 1, 1];
  const spread = paired / Math.SQRT2;
  const truth = { workloads, policies, shape: 'log-normal', spread, correlation: 0, ratio: 1 } as const;
  const ratios = [0.8, 0.9, 0.95];
  const found = ratios.map(() => 0);
  let equivalent = 0;
  let others = 0;
  for (let at = 0; at < experiments; at++) {
    ratios.forEach((first, which) => {
      const words = randomWords(seed, 'power', paired, workloads, blocks, at, first);
      const { rows } = familyTable(simulateFamily({ ...truth, first }, blocks, words));
      const [effect, ...rest] = rows.filter(({ role }) => role === 'measure');
      if (effect?.verdict === 'better') found[which] = (found[which] as number) + 1;
      equivalent += rest.filter(isEquivalent).length;
      others += rest.length;
    });
  }
  const noise = `standard deviation of a pair ${paired}`;
  const facts = { noise, n: blocks, experiments };
  const cells = `${workloads * policies.length} cells`;
  const wanted = paired === MEDIAN_PAIRED && workloads === 4 ? { wanted: [0.6, 1] as const } : {};
  return [
    ...ratios.map((ratio, which) =>
      shareRow({
        ...{ ...facts, quantity: 'difference found', method: `${ratio}, ${cells}` },
        ...{ share: (found[which] as number) / experiments, ...(ratio === 0.8 ? wanted : {}) },
      }),
    ),
    shareRow({
      ...facts,
      quantity: 'equal cells called equivalent',
      method: cells,
      share: equivalent / others,
    }),
  ];
}

/** Of the log ratios of a cell's blocks: the median over the cells of the committed runs (`node analysis/simulation/paired-noise.ts`). */
export const MEDIAN_PAIRED = 0.021;
/** Three of four of these cells have less. */
export const QUARTILE_PAIRED = 0.06;

const STOP = { rule: 'width', width: 1.0001, minBlocks: 5 } as const;
const MOST = 20;

/** Shares of runs of which a table at any of its interim analyses holds a false verdict. */
export function interimRows(
  { noise, truth, atMost }: FamilyCase,
  workloads: number,
  experiments: number,
  seed: number,
): CoverageRow[] {
  const looks = looksOf({ stop: STOP, seeds: { base: 1, count: MOST } });
  let claims = 0;
  for (let at = 0; at < experiments; at++) {
    const words = randomWords(seed, 'interim', noise, workloads, at);
    const input = simulateFamily({ ...truth, workloads, ratio: 1, first: 1 }, MOST, words);
    const tables = looks.map((blocks) => familyTable(input, { stop: STOP, most: MOST, blocks }));
    if (tables.some(({ rows }) => rows.some(isClaim))) claims++;
  }
  return [
    shareRow({
      ...{ noise: `${noise}, ${looks.length} interim analyses`, n: MOST, experiments },
      quantity: 'runs with a false better or worse at any interim analysis',
      ...{ method: `${workloads * truth.policies.length} cells`, share: claims / experiments },
      ...(atMost === undefined ? {} : { wanted: [0, atMost] as const }),
    }),
  ];
}
