// SPDX-License-Identifier: Apache-2.0
import type { Spec } from '../../harness/core/spec.ts';
import type { Words } from '../stats/random.ts';
import { uniform } from '../stats/random.ts';
import { outcomeTable } from '../tables/outcome-table.ts';
import type { OutcomeTable, TableInput } from '../tables/outcome-types.ts';
import { sampleRun } from '../tables/sample-run.ts';
import { noisySeries, type Shape } from './noise.ts';

/** Whole tables whose truth is known: each policy of each workload is a cell of one family. */
export interface FamilyTruth {
  readonly workloads: number;
  /** How many times noisier than the baseline each policy is. */
  readonly policies: readonly number[];
  readonly shape: Shape;
  /** Of a value's logarithm. */
  readonly spread: number;
  /** Of a series' value with that of the block before. */
  readonly correlation: number;
  /** True ratio of all cells, and of the first one. */
  readonly ratio: number;
  readonly first: number;
}

/** The records of one experiment of so many blocks. Each block's seed does to all of its trials up to a factor of two; the null control has seeds of its own. */
export function simulateFamily(truth: FamilyTruth, blocks: number, words: Words): TableInput {
  const { workloads, policies, shape, spread, correlation, ratio, first } = truth;
  const levels = () => Array.from({ length: blocks }, () => Math.exp(Math.LN2 * uniform(words)));
  const workload = (_: unknown, at: number) => {
    const shared = levels();
    const draw = (factor: number, noise: number, of: readonly number[]) => {
      const series = noisySeries(shape, blocks, correlation, words);
      return of.map((level, block) => level * factor * Math.exp(noise * (series[block] as number)));
    };
    const tried = policies.map((noisier, which) => {
      const factor = at === 0 && which === 0 ? first : ratio;
      return [`p${which}`, draw(factor, noisier * spread, shared)] as const;
    });
    const ends = {
      eevdf: draw(1, spread, shared),
      aa: draw(1, spread, levels()),
      ...Object.fromEntries(tried),
    };
    return { workload: `w${at}`, ends };
  };
  return sampleRun(Array.from({ length: workloads }, workload));
}

/** The table that `pmvx analyze` makes of it, or of its first blocks at one of several interim analyses. */
export function familyTable(
  input: TableInput,
  at?: { readonly stop: Spec['stop']; readonly most: number; readonly blocks: number },
): OutcomeTable {
  if (at === undefined) return outcomeTable({ ...input, onlyRatios: true });
  const { stop, most, blocks } = at;
  return outcomeTable({
    ...input,
    spec: { ...input.spec, stop, seeds: { base: 1, count: most } },
    planned: input.planned.filter(({ block }) => block < blocks),
    records: input.records.filter(({ block }) => block < blocks),
    onlyRatios: true,
  });
}
