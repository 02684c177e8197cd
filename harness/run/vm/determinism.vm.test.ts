// SPDX-License-Identifier: Apache-2.0
// The same spec and seed give the same bits: whatever runs beside it, and however often it is killed.
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { TrialRecord } from '../../core/trial.ts';
import { readSelfTest } from '../../lab/self-test.ts';
import { readRun } from '../../store/run-folder.ts';
import { onBusyHost } from './busy-host.ts';
import { measuredOf, pmvx, stageImage } from './stage.ts';
import { withSlots } from './vm-slots.ts';
import { processesIn, until } from './watch-processes.ts';

const SPEC = `
name: determinism
image: quick
policies: [eevdf, scx_simple]
workloads:
  - use: hackbench
    with: { groups: 1, loops: 20 }
  - use: wakeup-latency
    with: { requests: 200 }
machine: { engine: exact, vcpus: 4, memory: 1GiB }
seeds: { base: 7, count: 1 }
controls: []
`;
const TRIALS = 4;

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-determinism-')));
const spec = join(scratch, 'determinism.yaml');
await writeFile(spec, SPEC);
test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** A run's folder; its name is the run's id, which is a column of its table. */
function runFolder(name: string): string {
  return join(scratch, name, 'run');
}

function csvOf(folder: string): Promise<string> {
  return readFile(join(folder, 'trials.csv'), 'utf8');
}

/** Without the time of the power-off: it comes after the guest's last frame, and how long QEMU takes to end is no result. */
async function consoleOf(folder: string, trial: string): Promise<string> {
  const text = await readFile(join(folder, 'consoles', trial, 'console.log'), 'utf8');
  return text.replace(/\[[ .\d]+\] (?=reboot: Power down)/, '');
}

async function recordsOf(folder: string): Promise<readonly TrialRecord[]> {
  const { records } = await readRun(folder);
  return records.toSorted((a, b) => (a.trial < b.trial ? -1 : 1));
}

const idle = runFolder('idle');

test.serial(
  'the image has proven itself: two boots are one, and no vCPU gets more than its share',
  async (t) => {
    const report = await readSelfTest(await stageImage());
    t.deepEqual(report?.faults, []);
    t.true(report?.passed);
    t.is(report?.twins.length, 2);
    t.is(report?.twins[0], report?.twins[1]);
    t.regex(report?.twins[0] ?? '', /"parts":\[{"hash":"[0-9a-f]{16}","blocks":\d{8,}/);
    t.deepEqual(Object.keys(report?.spread ?? {}), ['1', '2', '4', '8', '16']);
    for (const [vcpus, spread] of Object.entries(report?.spread ?? {})) {
      t.true(spread <= 0.01, `${vcpus} vCPUs: ${spread}`);
    }
  },
);

test.serial('a run with one machine at a time completes and measures', async (t) => {
  const { exitCode, all } = await withSlots(1, () => pmvx('run', spec, '--jobs', '1', '--out', idle));
  t.is(exitCode, 0, all);
  const records = await recordsOf(idle);
  t.deepEqual(
    records.map(({ state }) => state),
    Array.from({ length: TRIALS }, () => 'completed'),
  );
  t.is(new Set(records.map(({ transcript }) => transcript)).size, TRIALS, 'no two trials are the same');
});

test.serial('the same run with two machines at a time on a busy host gives the same bits', async (t) => {
  const loaded = runFolder('loaded');
  const { exitCode, all } = await withSlots(2, () =>
    onBusyHost(() => pmvx('run', spec, '--jobs', '2', '--out', loaded)),
  );
  t.is(exitCode, 0, all);
  t.is(await csvOf(loaded), await csvOf(idle));
  t.deepEqual((await recordsOf(loaded)).map(measuredOf), (await recordsOf(idle)).map(measuredOf));
  for (const { trial } of await recordsOf(idle)) {
    t.is(await consoleOf(loaded, trial), await consoleOf(idle, trial));
  }
});

test.serial(
  'a controller that is killed leaves no machine behind, and its run goes on where it was',
  async (t) => {
    const folder = runFolder('killed');
    await withSlots(2, async () => {
      const controller = pmvx('run', spec, '--jobs', '2', '--out', folder);
      let said = '';
      controller.stdout?.on('data', (chunk) => (said += chunk));
      const midway = () => said.includes(`[1/${TRIALS}]`) && processesIn(folder).length > 0;
      await until('a trial is recorded and others run', midway, 900_000);
      controller.kill('SIGKILL');
      t.is((await controller).signal, 'SIGKILL');
      const ms = await until('no machine is left', () => processesIn(folder).length === 0, 3000);
      t.log(`machines were gone after ${Math.round(ms)} ms`);

      const before = (await readFile(join(folder, 'trials.jsonl'), 'utf8')).replace(/[^\n]*$/, '');
      t.true(before.length > 0);
      const { exitCode, all } = await pmvx('run', spec, '--jobs', '2', '--out', folder, '--resume');
      t.is(exitCode, 0, all);
      const after = await readFile(join(folder, 'trials.jsonl'), 'utf8');
      t.true(after.startsWith(before), 'nothing recorded was lost or changed');
      t.is(after.trimEnd().split('\n').length, TRIALS, 'nothing finished was run again');
    });
    t.is(await csvOf(folder), await csvOf(idle));
    t.deepEqual((await recordsOf(folder)).map(measuredOf), (await recordsOf(idle)).map(measuredOf));
  },
);
