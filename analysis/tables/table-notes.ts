// SPDX-License-Identifier: Apache-2.0
import { TIME_AFTER } from '../../harness/core/metric.ts';
import type { EngineName } from '../../harness/core/trial.ts';
import type { OutcomeRow, OutcomeTable } from './outcome-table.ts';
import { pointWords } from './point-words.ts';

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
  const { rows, baseline, engines, counterfactual, planned, recorded } = table;
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
  if (rows.some((row) => row.ratio?.kind === 'interval' || row.ratio?.kind === 'point')) {
    notes.push(
      `ratio: geometric mean of metric / metric under ${baseline} in the same block; n: such pairs of blocks; ` +
        'interval: 95 %, paired t on logarithms, not corrected for the number of comparisons',
    );
  }
  if (rows.some((row) => row.ratio?.kind === 'interval' && row.ratio.zeroWidth)) {
    notes.push('no spread: every block gave exactly the same ratio, so the interval has width 0');
  }
  if (rows.some((row) => row.ratio?.kind === 'point')) notes.push('one pair of blocks gives no interval');
  notes.push(...rows.flatMap((row) => withoutRatio(row, rows)));
  return notes;
}

function pointNotes(rows: readonly OutcomeRow[]): string[] {
  const inRun = [...new Set(rows.map(({ point }) => point))].filter((point) => point !== 'quiescent');
  if (inRun.length === 0) return [];
  const shared = `at ${inRun.join(', ')}: policies take over in the run; a workload's own metrics include what came before, the same under all`;
  const after = `${TIME_AFTER}: from there to the end of the run`;
  return rows.some(({ metric }) => metric?.name === TIME_AFTER) ? [`${shared}; ${after}`] : [shared];
}

function withoutRatio(row: OutcomeRow, rows: readonly OutcomeRow[]): string[] {
  if (row.ratio?.kind !== 'none' || row.ratio.why !== 'not-positive') return [];
  return [
    `${row.workload} ${row.variant}${pointWords(row, rows)}, ${row.policy}: no ratio, because a value is zero or negative`,
  ];
}
