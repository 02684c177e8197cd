// SPDX-License-Identifier: Apache-2.0
// Forks that something goes wrong with: killed, their snapshot cut or changed, no room for it. The results are those of a quiet run.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { ExitCode } from '../../core/errors.ts';
import { confinement } from '../../lab/confine/confine.ts';
import { forkEngine } from '../../lab/fork/fork-engine.ts';
import { decodeFrames } from '../../lab/frames.ts';
import { cacheFolder } from '../../lab/image-files.ts';
import { openSnapshotStore } from '../../lab/snapshots/store.ts';
import { defaultHostDeadlineMs } from '../../lab/vm-engine.ts';
import {
  CLI,
  labEngine,
  measuredOf,
  processPolicy,
  ROOT,
  runOne,
  scriptWorkload,
  smallMachine,
  stageImage,
  type TrialEnd,
} from './stage.ts';
import { withSlots } from './vm-slots.ts';
import { processesIn, until } from './watch-processes.ts';

const SPEC = `
name: faults
image: quick
policies: [eevdf, scx_simple]
workloads: [{ use: spinners, with: { tasks: 3, units: 60 } }]
machine: { engine: exact, vcpus: 2, memory: 512MiB }
seeds: { base: 7, count: 2 }
controls: []
`;
const TRIALS = 4;

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-fork-faults-')));
const spec = join(scratch, 'faults.yaml');
await writeFile(spec, SPEC);
test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** A cache that has the images and no snapshots. */
async function newCache(name: string): Promise<string> {
  await stageImage();
  const cache = join(scratch, name);
  await mkdir(cache);
  await symlink(join(cacheFolder(process.env), 'images'), join(cache, 'images'));
  return cache;
}

function run(cache: string, folder: string, ...more: string[]) {
  return execa(process.execPath, [CLI, 'run', spec, '--jobs', '1', '--out', folder, ...more], {
    cwd: ROOT,
    reject: false,
    all: true,
    stdin: 'ignore',
    env: { PMVX_CACHE: cache },
  });
}

function csvOf(folder: string): Promise<string> {
  return readFile(join(folder, 'trials.csv'), 'utf8');
}

/** Its name is the run's id, which is a column of its table. */
function runFolder(name: string): string {
  return join(scratch, name, 'run');
}

function snapshotsOf(cache: string): string[] {
  return readdirSync(join(cache, 'snapshots'));
}

const quiet = runFolder('quiet');
let cache = '';

test.serial('a run of forks makes one snapshot and nothing else in the cache', async (t) => {
  cache = await newCache('cache');
  const { exitCode, all } = await withSlots(1, () => run(cache, quiet));
  t.is(exitCode, 0, all);
  t.regex(snapshotsOf(cache).join(' '), /^[0-9a-f]{16}$/);
});

/** Changes one bit in the middle of what is written in a file. */
async function flipBit(path: string): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    const at = Math.floor(size / 2);
    await file.read(byte, 0, 1, at);
    await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, at);
  } finally {
    await file.close();
  }
}

const DAMAGE: Readonly<
  Record<
    string,
    { readonly file: string; readonly act: (path: string) => Promise<void>; readonly said: RegExp }
  >
> = {
  'a memory file that lost its end': {
    file: 'ram-0',
    act: (path) => truncate(path, 2 ** 28),
    said: /ram-0: 268435456 bytes instead of 536870912/,
  },
  'a bit of the device state that flipped': { file: 'state', act: flipBit, said: /state: digest differs/ },
};

for (const [what, { file, act, said }] of Object.entries(DAMAGE)) {
  test.serial(
    `${what} is told in one line, the snapshot is made again, and the results are the same`,
    async (t) => {
      const [key] = snapshotsOf(cache);
      await act(join(cache, 'snapshots', String(key), file));
      const folder = join(scratch, file, 'run');
      const { exitCode, stderr, all } = await withSlots(1, () => run(cache, folder));
      t.is(exitCode, 0, all);
      const lines = stderr.split('\n').filter((line) => line.includes('damaged'));
      t.is(lines.length, 1, all);
      t.regex(lines[0] ?? '', /^pmvx: snapshot [0-9a-f]{16} was damaged \(.*\) and is made again$/);
      t.regex(lines[0] ?? '', said);
      t.deepEqual(snapshotsOf(cache), [key]);
      t.is(await csvOf(folder), await csvOf(quiet));
    },
  );
}

test.serial(
  'a controller killed while it makes the snapshot, and again while forks run, ends with the same table',
  async (t) => {
    const fresh = await newCache('killed-cache');
    const folder = runFolder('killed');
    const made = join(fresh, 'snapshots');
    const isMaking = () =>
      existsSync(made) &&
      readdirSync(made).some(
        (name) => name.startsWith('.partial-') && readdirSync(join(made, name)).includes('ram-0'),
      ) &&
      processesIn(folder).length > 0;
    await withSlots(1, async () => {
      await killWhen(t, run(fresh, folder), folder, isMaking);
      t.true(
        snapshotsOf(fresh).some((name) => name.startsWith('.partial-')),
        'the snapshot was not yet there',
      );
      const isForking = () => recorded(folder) > 0 && processesIn(folder).length > 0;
      await killWhen(t, run(fresh, folder, '--resume'), folder, isForking);
      t.true(recorded(folder) < TRIALS);
      t.regex(snapshotsOf(fresh).join(' '), /^[0-9a-f]{16}$/, 'nothing partial is left after a start');
      const { exitCode, all } = await run(fresh, folder, '--resume');
      t.is(exitCode, 0, all);
    });
    t.regex(snapshotsOf(fresh).join(' '), /^[0-9a-f]{16}$/);
    t.is(await csvOf(folder), await csvOf(quiet));
  },
);

function recorded(folder: string): number {
  const path = join(folder, 'trials.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}

async function killWhen(
  t: ExecutionContext,
  controller: ReturnType<typeof run>,
  folder: string,
  state: () => boolean,
): Promise<void> {
  await until('the moment to kill', state, 900_000);
  controller.kill('SIGKILL');
  t.is((await controller).signal, 'SIGKILL');
  await until('no machine is left', () => processesIn(folder).length === 0, 3000);
}

test.serial(
  'a disk that is full while the snapshot is made is one error, and nothing of it is left',
  async (t) => {
    const small = await newCache('small-cache');
    const images = join(cacheFolder(process.env), 'images');
    const folder = runFolder('full');
    const script =
      'mount -t tmpfs -o size=48m none "$1" && ln -s "$2" "$1/images" && shift 2 && "$@"; ' +
      'status=$?; ls -A "$PMVX_CACHE/snapshots"; exit $status';
    const command = [process.execPath, CLI, 'run', spec, '--jobs', '1', '--out', folder];
    const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
    const { exitCode, stdout, stderr } = await withSlots(1, () =>
      execa('unshare', ['-m', ...asRoot, 'sh', '-c', script, 'sh', small, images, ...command], {
        cwd: ROOT,
        reject: false,
        stdin: 'ignore',
        env: { PMVX_CACHE: small },
      }),
    );
    t.is(exitCode, ExitCode.environment, stdout + stderr);
    t.is(
      stderr,
      `pmvx: ${small}/snapshots: a snapshot of the machine cannot be kept: no space left on the device (ENOSPC). ` +
        'Free some space, give snapshots less of it with PMVX_SNAPSHOT_LIMIT, or write `counterfactual: boot`, which needs no snapshots',
    );
    t.notRegex(stdout, /partial|lock|gone|^[0-9a-f]{16}$/m);
    t.deepEqual(processesIn(folder), []);
  },
);

const SPIN = scriptWorkload('spin', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo Time: $i');

test.serial(
  'a fork whose QEMU is killed, or the one that makes its snapshot, is tried again and ends as if nothing had been',
  async (t) => {
    const store = await openSnapshotStore(join(scratch, 'lost-cache'), { limitBytes: 2 ** 33 });
    const policy = processPolicy('scx_simple', ['/opt/pmvx/sched/scx_simple'], 'simple');
    const engine = labEngine('exact', (image) =>
      forkEngine({ accelerator: 'exact', image, store, hostDeadlineMs: defaultHostDeadlineMs }),
    );
    const trial = (name: string): Promise<TrialEnd> =>
      runOne({ engine, machine: smallMachine(2), policy, workload: SPIN, consoles: join(scratch, name) });
    const confined = (await confinement()).as !== 'nobody';
    const killIn = async (folder: string, moment: () => boolean) => {
      await until(`the moment in ${folder}`, () => moment() && processesIn(folder).length === 1, 1_200_000);
      const [pid = 0] = processesIn(folder);
      if (confined) t.deepEqual(rightsOf(pid), CONFINED);
      process.kill(pid, 'SIGKILL');
    };

    const making = join(scratch, 'making/0000/fork-point');
    const [first] = await Promise.all([
      trial('making'),
      killIn(making, () => has(join(making, 'data'), 'ready')),
    ]);
    const forking = join(scratch, 'forking/0000');
    const [second] = await Promise.all([
      trial('forking'),
      killIn(forking, () => has(join(forking, 'data'), 'attached')),
    ]);
    const quietly = await trial('quietly');

    for (const { record, events } of [first, second]) {
      const lost = events.find(({ kind }) => kind === 'lost');
      t.regex(lost?.kind === 'lost' ? lost.cause : '', /^QEMU was killed by SIGKILL/);
      t.is(record.host.attempt, 2);
      t.is(record.state, 'completed');
      t.deepEqual(measuredOf(record), measuredOf(quietly.record));
    }
    t.is(quietly.record.host.attempt, 1);
    t.regex(snapshotsOf(join(scratch, 'lost-cache')).join(' '), /^[0-9a-f]{16}$/);
  },
);

/** What the kernel says of a process of the emulator: who it is, what it may, what it sees. */
function rightsOf(pid: number): Record<string, unknown> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const value = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];
  const networks = [pid, process.pid].map((each) => readlinkSync(`/proc/${each}/ns/net`));
  return {
    root: value('Uid') === '0',
    capabilities: [value('CapEff'), value('CapBnd')],
    canGain: value('NoNewPrivs') !== '1',
    filtered: value('Seccomp') === '2',
    network: networks[0] === networks[1],
    sees: readdirSync(`/proc/${pid}/root`).filter((name) =>
      ['etc', 'usr', 'proc', 'sys', 'var'].includes(name),
    ),
  };
}

const NOTHING = '0000000000000000';
const CONFINED = {
  root: false,
  capabilities: [NOTHING, NOTHING],
  canGain: false,
  filtered: true,
  network: false,
  sees: [],
};

function has(path: string, wanted: string): boolean {
  return existsSync(path) && decodeFrames(readFileSync(path)).frames.some(({ kind }) => kind === wanted);
}
