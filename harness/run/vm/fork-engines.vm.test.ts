// SPDX-License-Identifier: Apache-2.0
// Forks of machines that are not the usual one: several NUMA nodes, and an engine whose time is the host's.
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../../core/load-catalog.ts';
import { openSnapshotStore } from '../../lab/snapshots/store.ts';
import { readRun } from '../../store/run-folder.ts';
import { live, type Proof } from './combinations.ts';
import { pmvx, ROOT, scriptWorkload, smallMachine, stageImage } from './stage.ts';
import { SLOTS, withSlots } from './vm-slots.ts';

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-fork-engines-')));
const { policies } = await loadCatalog(ROOT);
test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** What the guest's kernel makes of the machine. */
const LOOK = `cd /sys/devices/system
echo nodes $(cat node/online): $(cat node/node*/cpulist)
for cpu in 0 1 2 3; do cd /sys/devices/system/cpu/cpu$cpu
echo cpu $cpu: threads $(cat topology/thread_siblings_list) L3 $(cat cache/index3/shared_cpu_list); done
echo Time: 1`;

test('two NUMA nodes with a socket and two threads each are what the guest sees, and its fork is the machine that was booted', async (t) => {
  const workload = scriptWorkload('look', LOOK);
  const proof: Proof = {
    catalog: {
      policies: new Map([...policies].filter(([id]) => id === 'scx_simple')),
      workloads: new Map([[workload.id, workload]]),
    },
    image: await stageImage(),
    store: await openSnapshotStore(scratch, { limitBytes: 2 ** 33 }),
    machine: {
      ...smallMachine(4),
      memoryMiB: 2048,
      topology: { nodes: 2, sockets: 2, cores: 1, threads: 2 },
    },
    seed: 7,
    scratch,
    signal: new AbortController().signal,
  };
  const combination = { policy: 'scx_simple', workload: 'look', point: 'quiescent' } as const;
  const [boot, fork] = await withSlots(SLOTS, () =>
    Promise.all([live('boot', combination, proof), live('fork', combination, proof)]),
  );
  t.deepEqual(fork.output?.split('\n'), [
    'nodes 0-1: 0-1 2-3',
    'cpu 0: threads 0-1 L3 0-1',
    'cpu 1: threads 0-1 L3 0-1',
    'cpu 2: threads 2-3 L3 2-3',
    'cpu 3: threads 2-3 L3 2-3',
    'Time: 1',
    '',
  ]);
  t.deepEqual(fork, boot);
});

const TCG = `
name: tcg-forks
image: quick
policies: [eevdf, scx_simple]
workloads: [{ use: spinners, with: { units: 2 } }]
machine: { engine: tcg, vcpus: 2, memory: 512MiB }
counterfactual: fork
seeds: { base: 7, count: 1 }
controls: []
`;

test('tcg forks, too, and calls nothing exact', async (t) => {
  await stageImage();
  const spec = join(scratch, 'tcg.yaml');
  await writeFile(spec, TCG);
  const folder = join(scratch, 'run');
  const { exitCode, all } = await withSlots(SLOTS, () => pmvx('run', spec, '--jobs', '1', '--out', folder));
  t.is(exitCode, 0, all);
  const { records } = await readRun(folder);
  t.deepEqual(
    records.map(({ state, engine }) => [state, engine]),
    [
      ['completed', 'tcg'],
      ['completed', 'tcg'],
    ],
  );
  t.deepEqual(records.map(({ schedAfter }) => schedAfter?.ops ?? 'none').toSorted(), ['none', 'simple']);
  t.notRegex(await readFile(join(folder, 'trials.csv'), 'utf8'), /exact/);
});
