// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import type { Seed } from '../core/seed.ts';
import type { Machine } from '../core/spec.ts';
import type { Orders } from './engine.ts';
import { nativeCommand } from './native/command.ts';
import { cpuList, hostSchedExt, type NativeHost, nativeObstacle } from './native/host.ts';
import { boundedOutput, readReport } from './native/report.ts';
import { nativeEngine } from './native.ts';

const WORDS = { summary: 'x', suits: 'x', weakness: 'x', source: 'x' };
const BUILTIN = { id: 'eevdf', definition: { kind: 'builtin', ...WORDS } } as const;
const SIMPLE: Orders['policy'] = {
  id: 'scx_simple',
  definition: { kind: 'process', ...WORDS, argv: ['/opt/pmvx/sched/scx_simple'], ops: 'simple' },
};
const HOST: NativeHost = {
  cpus: async () => [0, 1, 2],
  isRoot: () => true,
  kernel: () => '6.6.1-cloud-amd64',
};

function orders(given: Partial<Orders> = {}): Orders {
  const base = { trial: '0001', seed: 7 as Seed, policy: BUILTIN, candidates: [] };
  return { ...base, run: ['/bin/true'], deadlineMs: 120_000, ...given };
}

function machine(vcpus: number): Machine {
  const topology = { nodes: 1, sockets: 1, cores: vcpus, threads: 1 };
  return { engine: 'native', vcpus, memoryMiB: 512, speed: 1000, quantum: 5000, topology };
}

function temporary(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-native-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a host that cannot stand for the machine says why', async (t) => {
  t.is(await nativeObstacle(3, HOST), undefined);
  t.is(await nativeObstacle(4, HOST), '4 CPUs are asked for, and 3 of this host may be used');
  t.regex((await nativeObstacle(1, { ...HOST, isRoot: () => false })) ?? '', /^needs root/);
  for (const kernel of ['6.5.9', '5.10.0-x', '4.19.0']) {
    t.regex((await nativeObstacle(1, { ...HOST, kernel: () => kernel })) ?? '', /not EEVDF$/, kernel);
  }
  for (const kernel of ['6.6', '6.12.3', '7.0.1']) {
    t.is(await nativeObstacle(1, { ...HOST, kernel: () => kernel }), undefined, kernel);
  }
});

test('CPUs are read as the kernel lists them', (t) => {
  t.deepEqual(cpuList('0-2,5,7-8'), [0, 1, 2, 5, 7, 8]);
  t.deepEqual(cpuList('3'), [3]);
  t.deepEqual(cpuList(''), []);
});

test('a policy that is not built in is refused before anything runs', async (t) => {
  const folder = temporary(t);
  const engine = nativeEngine({ folder: '/nonexistent' }, HOST);
  const signal = new AbortController().signal;
  const outcome = await engine.runTrial(orders({ policy: SIMPLE }), machine(2), folder, signal);
  t.is(outcome.ended, 'done');
  t.deepEqual(
    outcome.frames.map(({ kind }) => kind),
    ['hello', 'ready', 'refused', 'done'],
  );
  t.regex(
    String(outcome.frames[2]?.payload),
    /built-in policy of the host's kernel only, not \\"scx_simple\\"/,
  );
  const late = await engine.runTrial(orders({ forkAtMs: 100 }), machine(2), folder, signal);
  t.is(late.frames[2]?.kind, 'refused');
  await t.throwsAsync(engine.runTrial(orders(), machine(4), folder, signal), {
    message: /engine native: 4 CPUs/,
  });
});

test('the host says about sched_ext what its files hold, and "disabled" where the kernel has none', async (t) => {
  const folder = temporary(t);
  t.deepEqual(await hostSchedExt(folder), { state: 'disabled' });
  t.deepEqual(await hostSchedExt(join(folder, 'absent')), {});
  mkdirSync(join(folder, 'sched_ext/root'), { recursive: true });
  writeFileSync(join(folder, 'sched_ext/state'), 'enabled\n');
  writeFileSync(join(folder, 'sched_ext/root/ops'), 'lavd\n');
  t.deepEqual(await hostSchedExt(folder), { state: 'enabled', ops: 'lavd' });
});

test('a report has a line a program, and one that is cut off does not count', (t) => {
  const numbers = {
    elapsedNs: 5,
    userNs: 6,
    systemNs: 7,
    voluntarySwitches: 8,
    involuntarySwitches: 9,
    outputBytes: 10,
    allUserNs: 11,
    allSystemNs: 12,
  };
  const report = readReport('warm 0 0 1 2 3 4 5 6 7 8 2 0 a,b\nresult 137 1 5 6 7 8 9 10 11 12 3 0 c\n');
  t.deepEqual(report.result, { exit: 137, timedOut: true, ...numbers });
  t.like(report.warm, { leftover: 2, stuck: 0, names: ['a', 'b'] });
  t.deepEqual(readReport('result 0 0 5 6 7 8 9 1'), {});
  t.deepEqual(readReport(''), {});
});

test('output that is too long keeps its start and its end', async (t) => {
  const path = join(temporary(t), 'output');
  t.is((await boundedOutput(path)).length, 0);
  writeFileSync(path, `first${'x'.repeat(300 * 1024)}last`);
  const kept = String(await boundedOutput(path));
  t.regex(kept, /^first/);
  t.regex(kept, /last$/);
  t.true(kept.includes('[pmvx: 45065 bytes left out]'));
});

test('everything is pinned, and dies with its first process', (t) => {
  const given = { root: '/i/root.ext4', cpus: [0, 3], launcher: 'print 1', seed: 5, deadlineMs: 9 };
  const command = nativeCommand({ ...given, warmup: ['/w', '1'], run: ['/r', '2'] });
  t.deepEqual(command.slice(0, 4), ['taskset', '--cpu-list', '0,3', 'unshare']);
  t.true(command.includes('--kill-child=KILL') && command.includes('--pid'));
  t.deepEqual(command.slice(-9), ['/i/root.ext4', 'print 1', '5', '9', '2', '/w', '1', '/r', '2']);
});

/** A file system with what the launcher needs, copied from this host; undefined where it cannot be made or mounted. */
async function smallRoot(folder: string): Promise<string | undefined> {
  const tree = join(folder, 'tree');
  for (const name of ['tmp', 'run', 'proc', 'dev', 'sys', 'mnt', 'usr/bin']) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  for (const name of ['bin', 'lib', 'lib64']) await execa('ln', ['-s', `usr/${name}`, join(tree, name)]);
  const programs = ['perl', 'sh', 'sleep', 'true', 'taskset', 'head'].map((name) => `/usr/bin/${name}`);
  for (const program of programs) await execa('cp', ['-L', program, join(tree, program)]);
  const { stdout } = await execa({ reject: false })('ldd', programs);
  const perl = (await execa('perl', ['-e', 'print join "\\n", @INC, values %INC'])).stdout.split('\n');
  const libraries = new Set([...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path as string));
  for (const library of libraries) {
    const to = join(tree, library.replace(/^\/lib/, '/usr/lib'));
    await execa('mkdir', ['-p', join(to, '..')]);
    await execa('cp', ['-L', library, to]);
  }
  for (const path of perl.filter(
    (each) => /perl-base|perl\/5/.test(each) && existsSync(join(each, 'strict.pm')),
  )) {
    await execa('mkdir', ['-p', join(tree, path)]);
    for (const name of ['strict.pm', 'warnings.pm'])
      await execa('cp', ['-L', join(path, name), join(tree, path)]);
  }
  const image = join(folder, 'root.ext4');
  await execa('truncate', ['-s', '64M', image]);
  const made = await execa('mke2fs', ['-q', '-t', 'ext4', '-d', tree, image], { reject: false });
  if (made.failed) return undefined;
  const mount = `mkdir -p ${folder}/try && mount -o loop,ro ${image} ${folder}/try`;
  const tried = await execa('unshare', ['--mount', 'sh', '-c', mount], { reject: false });
  return tried.failed ? undefined : image;
}

test.serial(
  'programs run on the host as a guest would run them: exit, output, seed, deadline, nothing left over',
  async (t) => {
    const folder = temporary(t);
    if (process.getuid?.() !== 0 || (await smallRoot(folder)) === undefined) {
      t.log('not run: needs root, loop devices and mke2fs');
      return t.pass();
    }
    const real: NativeHost = { ...HOST, cpus: async () => [0] };
    const engine = nativeEngine({ folder }, real);
    const trial = join(folder, 'trial');
    const sh = (script: string, deadlineMs = 120_000) =>
      engine.runTrial(
        orders({ run: ['/bin/sh', '-c', script], warmup: ['/bin/true'], deadlineMs }),
        machine(1),
        trial,
        new AbortController().signal,
      );
    const frame = (outcome: Awaited<ReturnType<typeof sh>>, kind: string) =>
      String(outcome.frames.find((each) => each.kind === kind)?.payload);

    const fine = await sh('echo seed $PMVX_SEED at $PWD; taskset -p $$; : > /usr/x; exit 3');
    t.is(fine.ended, 'done', fine.cause);
    t.deepEqual(
      fine.frames.map(({ kind }) => kind),
      ['hello', 'ready', 'attached', 'warm', 'output', 'result', 'after', 'policy-log', 'klog', 'done'],
    );
    t.regex(frame(fine, 'output'), /^seed 7 at \/tmp\n.*mask: 1\n.*read-only/is);
    t.like(JSON.parse(frame(fine, 'result')), { exit: 2, timedOut: false });
    t.is(JSON.parse(frame(fine, 'warm')).exit, 0);

    writeFileSync(join(trial, 'report'), 'result 0 0 1 2 3 4 5 6\n');
    const broken = await nativeEngine({ folder: join(folder, 'tree') }, real).runTrial(
      orders(),
      machine(1),
      trial,
      new AbortController().signal,
    );
    t.is(broken.ended, 'died');
    t.regex(broken.cause ?? '', /root\.ext4/);

    const token = `31${process.pid}`;
    const leaves = `perl -e 'fork and exit; setpgrp; exec "sleep", "${token}" if !fork' `;
    const left = await engine.runTrial(
      orders({ warmup: ['/bin/sh', '-c', `${leaves}; sleep 0.2`], run: ['/bin/sh', '-c', 'echo done'] }),
      machine(1),
      trial,
      new AbortController().signal,
    );
    t.is(left.ended, 'done', left.cause);
    t.like(JSON.parse(frame(left, 'warm')), { leftover: 1, stuck: 0, names: ['sleep'] });
    t.like(JSON.parse(frame(left, 'result')), { exit: 0, leftover: 0, names: [] });
    t.deepEqual(running(token), []);

    const slow = await sh(`sleep ${token} & sleep ${token}`, 300);
    t.like(JSON.parse(frame(slow, 'result')), { exit: 137, timedOut: true });
    t.deepEqual(running(token), []);

    const stop = new AbortController();
    const aborted = engine.runTrial(orders({ run: ['/bin/sleep', token] }), machine(1), trial, stop.signal);
    await until(() => running(token).length > 0);
    stop.abort(new Error('stopped'));
    await t.throwsAsync(aborted, { message: 'stopped' });
    await until(() => running(token).length === 0);
    t.deepEqual(readdirSync(trial), []);
    t.false(readFileSync('/proc/self/mounts', 'utf8').includes(folder));
  },
);

/** Ids of processes that sleep for `seconds`. */
function running(seconds: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const [program = '', argument] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return program.endsWith('sleep') && argument === seconds;
    } catch {
      return false;
    }
  });
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('not within 120 s');
    await delay(20);
  }
}
