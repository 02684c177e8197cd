// SPDX-License-Identifier: Apache-2.0
import { median } from '../stats/median.ts';
import { outcomeTable } from '../tables/outcome-table.ts';
import { type FlatRow, tableRows } from '../tables/table-rows.ts';
import { blockValues } from './block-values.ts';
import type { EngineRun, FidelitySpec, RanEngine } from './engine-run.ts';
import { type Sweep, sweepsOf } from './sweeps.ts';

/** Columns of `fidelity.csv` in order; `results/README.md` describes each. */
export const FIDELITY_COLUMNS = [
  'workload',
  'variant',
  'policy',
  'engine',
  'metric',
  'unit',
  'direction',
  'median',
  'ratio',
  'low',
  'high',
  'n',
  'sweep',
  'step',
  'scaled',
  'host_seconds',
  'planned',
  'completed',
  'reasons',
] as const;
export type FidelityColumn = (typeof FIDELITY_COLUMNS)[number];
export type FidelityRow = Readonly<Record<FidelityColumn, string | number | undefined>>;

/**
 * A row for each workload, policy and engine of the experiment, in the spec's order. What an engine does not have
 * is missing: its figures are undefined, and `reasons` says why.
 */
export function fidelityRows(spec: FidelitySpec, runs: readonly EngineRun[]): FidelityRow[] {
  const sweeps = sweepsOf(spec.workloads);
  const tables = new Map(runs.map((run) => [run.engine, run.status === 'ran' ? flatRows(spec, run) : []]));
  return spec.workloads.flatMap(({ workload, variant }) =>
    spec.policies.flatMap((policy) =>
      runs.map((run): FidelityRow => {
        const sweep = sweeps.find((each) => each.workload === workload);
        const step = sweep?.steps.find((each) => each.variant === variant)?.value;
        const place = { workload, variant, policy, engine: run.engine, sweep: sweep?.parameter, step };
        const own = tables
          .get(run.engine)
          ?.find((row) => row.workload === workload && row.variant === variant && row.policy === policy);
        if (run.status === 'absent' || own === undefined) return { ...NOTHING, ...place, reasons: lack(run) };
        const { metric, unit, direction, ratio, low, high, n, planned, completed, reasons } = own;
        return {
          ...place,
          ...{ metric, unit, direction, median: own.median, ratio, low, high, n },
          scaled: sweep && scaled(run, sweep, variant, policy),
          host_seconds: hostSeconds(run, workload, variant, policy),
          ...{ planned, completed, reasons },
        };
      }),
    ),
  );
}

const NOTHING = Object.fromEntries(FIDELITY_COLUMNS.map((column) => [column, undefined])) as FidelityRow;

function lack(run: EngineRun): string {
  return run.status === 'absent' ? run.why : `${run.engine} runs the built-in policy only`;
}

function flatRows(spec: FidelitySpec, run: RanEngine): FlatRow[] {
  const { planned, records, policies } = run;
  return tableRows(outcomeTable({ run: run.engine, spec: { ...spec, policies }, planned, records })).filter(
    ({ role }) => role !== 'aa',
  );
}

/** Median over that of the sweep's first step, under the same policy on the same engine. */
function scaled(run: RanEngine, sweep: Sweep, variant: string, policy: string): number | undefined {
  const middle = (of: string) => median([...blockValues(run, sweep.workload, of, policy).values()]);
  const [value, first] = [middle(variant), middle(sweep.steps[0]?.variant ?? '')];
  return value === undefined || first === undefined || first <= 0 ? undefined : value / first;
}

/** Median host time of the trials of a row, however they ended, seconds. */
function hostSeconds(run: RanEngine, workload: string, variant: string, policy: string): number | undefined {
  const own = run.records.filter(
    (record) => record.workload === workload && record.variant === variant && record.policy === policy,
  );
  return median(own.map(({ host }) => host.seconds));
}
