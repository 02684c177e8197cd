// SPDX-License-Identifier: Apache-2.0
// npm run bench: times the paths inside the controller. What a trial costs outside its VM is the sum of a few
// of these.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { outcomeTable } from '../analysis/tables/outcome-table.ts';
import type { TableInput } from '../analysis/tables/outcome-types.ts';
import { tableRows } from '../analysis/tables/table-rows.ts';
import { formatTextTable } from '../analysis/tables/text-table.ts';
import { figureBench } from '../paper-figs/bench.ts';
import { forestPlot } from '../paper-figs/figures/forest.ts';
import { renderFigure } from '../paper-figs/render.ts';
import { deriveSeed } from './core/seed.ts';
import type { Spec } from './core/spec.ts';
import type { TrialRecord } from './core/trial.ts';
import { addSnapshots } from './lab/snapshots/bench.ts';
import { planTrials } from './plan/plan.ts';
import { parseLog } from './store/log-lines.ts';
import { sampleCompleted, sampleDescription } from './store/sample-records.ts';
import { TrialLog } from './store/trial-log.ts';
import { formatTrialsCsv, writeTrialsCsv } from './store/trials-csv.ts';

const POLICIES = ['eevdf', 'scx_simple', 'scx_simple-fifo', 'scx_flatcg', 'scx_central', 'scx_cpu0'];
const WORKLOADS = ['hackbench', 'perf-sched-pipe', 'perf-sched-messaging', 'spinners'];
/** A run of 1008 trials: 6 policies and the null control, 4 workloads, 36 blocks. */
const SPEC: Spec = {
  ...sampleDescription([sampleCompleted()]).spec,
  policies: POLICIES,
  workloads: WORKLOADS.map((workload) => ({ workload, variant: 'default', params: { groups: 2 } })),
  seeds: { base: 7, count: 36 },
  order: 'randomised',
  controls: ['aa'],
};
/** As long as what a workload prints. */
const OUTPUT = 'the quick brown fox\n'.repeat(100);

const plan = planTrials(SPEC);
const records = plan.trials.map((trial): TrialRecord => {
  const { params: _, ...facts } = trial;
  // Figures that differ, so that nothing is faster than with real ones.
  const value = deriveSeed(7, trial.trial) / 2 ** 31 + 0.5;
  const metrics = [
    { name: 'time', unit: 's', direction: 'lower', primary: true, value },
    { name: 'switches', unit: '1/s', direction: 'lower', primary: false, value: value * 1e4 },
  ] as const;
  return sampleCompleted({ ...facts, output: OUTPUT, metrics });
});
const input: TableInput = { run: 'bench', spec: SPEC, planned: plan.trials, records };
const table = outcomeTable(input);
const size = `${records.length} trials`;

const folder = await mkdtemp(join(tmpdir(), 'pmvx-bench-'));
try {
  const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  await writeFile(join(folder, 'whole.jsonl'), bytes);
  const log = await TrialLog.open(join(folder, 'appended.jsonl'));
  let appended = 0;

  const bench = new Bench({ time: 500, warmupTime: 100 });
  bench
    .add(`plan: expand a spec to ${size}`, () => {
      planTrials(SPEC);
    })
    .add('record: append one trial (one write, one fsync)', () =>
      log.append(sampleCompleted({ trial: String(appended++), output: OUTPUT })),
    )
    .add(`record: read and check a log of ${size}`, () => {
      parseLog(bytes, 'bench');
    })
    .add(`record: open a log of ${size} for resume`, async () => {
      await (await TrialLog.open(join(folder, 'whole.jsonl'))).close();
    })
    .add(`record: trials.csv of ${size}, text only`, () => {
      formatTrialsCsv(records);
    })
    .add(`record: trials.csv of ${size}, written and fsynced`, () =>
      writeTrialsCsv(join(folder, 'trials.csv'), records),
    )
    .add(`analysis: table of ${size}`, () => {
      formatTextTable(outcomeTable(input), { colour: false });
    })
    .add('analysis: first-look figure, SVG and PNG', async () => {
      await renderFigure(forestPlot(tableRows(table), table));
    });
  await addSnapshots(bench, folder);
  for (const each of [bench, await figureBench()]) {
    await each.run();
    const failed = each.tasks.find((task) => task.result.state === 'errored');
    if (failed?.result.state === 'errored') throw failed.result.error;
    console.table(each.table());
  }
  await log.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
