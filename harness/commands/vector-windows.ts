// SPDX-License-Identifier: Apache-2.0
import { FEATURES_VERSION } from '../../analysis/features/definition.ts';
import { type WindowedTrial, type WindowRow, windowRows } from '../../analysis/features/window-separation.ts';
import { countedOf } from '../../analysis/features/window-vector.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { readProbeWindows } from '../store/probe-windows.ts';
import type { StoredRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { openStoredRun, vectorOfTrial } from './learnt-run.ts';
import { windowVectors } from './window-vectors.ts';

/** `pmvx vectors RUN... --windows`: how near windows of EEVDF's trials stay to the whole run, by their length. */
export async function vectorWindowsCommand(
  args: { readonly runs: readonly string[]; readonly json?: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const runs = await Promise.all(args.runs.map((name) => openStoredRun(name, context)));
  const trials = (await Promise.all(runs.map(windowedTrials))).flat();
  if (trials.length === 0) {
    throw new PmvxError(ExitCode.usage, {
      what: 'no trial of EEVDF in these runs has windows of probes',
      next: 'Run a spec with probes and probeWindowMs, such as harness/experiments/windows.yaml; committed runs are kept without consoles/',
    });
  }
  const rows = windowRows(trials);
  if (args.json === true) context.write(JSON.stringify({ v: 1, features: FEATURES_VERSION, rows }, null, 2));
  else for (const line of formatWindowRows(rows, trials)) context.write(line);
  return ExitCode.ok;
}

async function windowedTrials(run: StoredRun): Promise<WindowedTrial[]> {
  const { vcpus } = run.spec.machine;
  const found: WindowedTrial[] = [];
  for (const record of run.records) {
    if (record.state !== 'completed' || record.policy !== 'eevdf' || record.role !== 'measure') continue;
    const whole = vectorOfTrial(record, vcpus);
    const windows = await readProbeWindows(run, record);
    if (whole?.kind !== 'vector' || windows === undefined) continue;
    found.push({
      trial: `${run.provenance.run}/${record.trial}`,
      workload: record.workload,
      configuration: `${record.variant} ${vcpus}`,
      values: whole.values,
      windows: windows.map((totals) => countedOf(totals, vcpus)),
      learnt: (await windowVectors(run, record)).map(({ values }) => values),
    });
  }
  return found;
}

/** Markdown. */
export function formatWindowRows(rows: readonly WindowRow[], trials: readonly WindowedTrial[]): string[] {
  const workloads = new Set(trials.map(({ workload }) => workload)).size;
  const share = (value: number | undefined) => (value === undefined ? '-' : `${(100 * value).toFixed(1)} %`);
  const cosines = (found: WindowRow['own']) =>
    found === undefined
      ? '-'
      : `${found.median.toFixed(2)} (${found.low.toFixed(2)} to ${found.high.toFixed(2)})`;
  return [
    `Windows of ${trials.length} runs of ${workloads} workloads under EEVDF. Cosines are medians, with their 5th and 95th percentile.`,
    '',
    '| window | windows | unknown | cosine with the own whole run | with whole runs of other workloads | nearest whole run of another trial is of the same workload | nearest run or learnt window is |',
    '|--:|--:|--:|---|---|--:|--:|',
    ...rows.map(
      ({ ms, windows, unknown, own, others, right, rightWithWindows }) =>
        `| ${ms} ms | ${windows} | ${share(unknown)} | ${cosines(own)} | ${cosines(others)} | ${share(right)} | ${share(rightWithWindows)} |`,
    ),
  ];
}
