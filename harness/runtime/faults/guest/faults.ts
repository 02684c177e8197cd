// SPDX-License-Identifier: Apache-2.0
// Runs in a guest: random faults on the daemon beside the real kernel. COUNT and SEED are the last arguments.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readSchedExt } from '../../actuate/sched-ext.ts';
import { readSetting } from '../../actuate/setting.ts';
import { EEVDF } from '../../contracts.ts';
import { systemClock } from '../../sense/clock.ts';
import { homeAfter, msOf, processFaults } from '../hang.ts';
import { injectFaults } from '../inject.ts';
import { FAULTS, type FaultKind, type Site } from '../site.ts';
import { tell } from './report.ts';
import { journal, MAP, PROBE, STATE, startDaemon } from './stage.ts';

const [count = '10', seed = '1'] = process.argv.slice(-2);
const SLICE = '/sys/kernel/debug/sched/base_slice_ns';
const LONG = 'eevdf-slice-long';
const STALL = 'made-up-stall';
const ERROR = 'made-up-error';
/** Each policy with what the kernel calls its scheduler. */
const POLICIES = new Map([
  ['pmvx_chain', 'pmvx_chain'],
  ['pmvx_latency', 'pmvx_latency'],
  ['scx_simple', 'simple'],
  ['scx_flatcg', 'flatcg'],
  [LONG, undefined],
  [EEVDF, undefined],
  [STALL, 'made_up_stall'],
  [ERROR, 'made_up_error'],
]);
const IN_PROCESSES = ['scx_simple', 'scx_flatcg'];
const SOUND = [...POLICIES.keys()].filter((id) => id !== STALL && id !== ERROR);

mkdirSync(STATE, { recursive: true });
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'small', STATE]);
const slice = readSetting(SLICE);
const service = await startDaemon([...POLICIES.keys()].filter((id) => id !== EEVDF));
copyFileSync(MAP, `${MAP}.good`);
const firstSeq = readSchedExt().enableSeq ?? 0;
let strangers = 0;
let theirs: ChildProcess | undefined;
let sleeper: ChildProcess | undefined;

/** Until the kernel has begun to do without the scheduler: only then is the fault made. */
async function left(): Promise<void> {
  while (readSchedExt().state === 'enabled') await delay(1);
}

function killedNow(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

const home = {
  isHome: () => readSchedExt().state === 'disabled' && readSetting(SLICE) === slice,
  nowNs: () => systemClock.nowNs(),
  patienceMs: 20_000,
};
/** The guest has no disk that can be frozen, and no application that tells of its progress. */
const KINDS = FAULTS.filter(
  (kind): kind is Exclude<FaultKind, 'kill-switch-frozen' | 'pipe-for-progress'> =>
    kind !== 'kill-switch-frozen' && kind !== 'pipe-for-progress',
);

const inject: Record<(typeof KINDS)[number], (random: () => number) => unknown> = {
  ...processFaults(service, home),
  'deaf-scheduler': async () => {
    const { children } = JSON.parse(readFileSync(join(STATE, 'leftovers.json'), 'utf8')) as {
      children: { pid: number }[];
    };
    for (const { pid } of children) process.kill(pid, 'SIGSTOP');
    return homeAfter(() => void service.ask('stop', {}), home);
  },
  'kill-daemon': () => service.kill(),
  'kill-daemon-switching': async (random) => {
    const to = SOUND[Math.floor(random() * SOUND.length)] as string;
    void service.ask('apply', { policy: to });
    await delay(random() * 400);
    await service.kill();
  },
  'kill-scheduler': async () => {
    const { children } = JSON.parse(readFileSync(join(STATE, 'leftovers.json'), 'utf8')) as {
      children: { pid: number }[];
    };
    // The one before may just have ended, and be struck off a moment later.
    const killed = children.filter(({ pid }) => killedNow(pid));
    if (killed.length === 0) throw new Error('no scheduler is there to be killed');
    await left();
  },
  stall: () => {
    sleeper = spawn('/usr/bin/sha256sum', ['/dev/zero'], { stdio: 'ignore' });
  },
  eject: async () => {
    // One that ends at once may never be enqueued under its name.
    const task = spawn('/usr/bin/sha256sum', ['/dev/zero'], { stdio: 'ignore' });
    await left();
    task.kill('SIGKILL');
  },
  sysrq: async () => {
    writeFileSync('/proc/sysrq-trigger', 'S');
    await left();
  },
  stranger: async () => {
    theirs = spawn('/opt/pmvx/sched/scx_simple', [], { stdio: 'ignore' });
    while (readSchedExt().state !== 'enabled') await delay(2);
    strangers++;
  },
  'corrupt-map': (random) => {
    const bytes = readFileSync(MAP);
    writeFileSync(MAP, random() < 0.5 ? bytes.subarray(0, 3000) : Buffer.alloc(bytes.length, 7));
  },
  'full-disk': () => {
    for (const size of [1 << 20, 4096]) {
      try {
        for (;;) appendFileSync(join(STATE, 'ballast'), Buffer.alloc(size));
      } catch {
        // No such piece fits any more.
      }
    }
  },
  'probe-gone': async () => {
    // Probes that are attached stay so; a daemon that comes up finds them gone.
    renameSync(PROBE.path, PROBE.away);
    await service.kill();
  },
};

const heal: Partial<Record<FaultKind, () => void>> = {
  stall: () => sleeper?.kill('SIGKILL'),
  stranger: () => theirs?.kill('SIGKILL'),
  'corrupt-map': () => {
    copyFileSync(`${MAP}.good`, `${MAP}.new`);
    renameSync(`${MAP}.new`, MAP);
  },
  'full-disk': () => rmSync(join(STATE, 'ballast'), { force: true }),
  'probe-gone': () => renameSync(PROBE.away, PROBE.path),
};

const site: Site = {
  nowNs: () => systemClock.nowNs(),
  kinds: KINDS,
  policies: POLICIES,
  policiesFor: (kind) => {
    if (kind === 'stall') return [STALL];
    if (kind === 'eject') return [ERROR];
    if (kind === 'kill-scheduler' || kind === 'deaf-scheduler') return IN_PROCESSES;
    if (kind === 'stranger') return [EEVDF, LONG];
    if (kind === 'sysrq') return SOUND.filter((id) => POLICIES.get(id) !== undefined);
    return SOUND;
  },
  status: () => service.ask('status', {}),
  apply: async (policy) => {
    const done = await service.ask('apply', { policy });
    return done === undefined ? (service.refusal ?? 'nobody answers') : undefined;
  },
  resume: async () => void (await service.ask('resume', {})),
  kernel: () => readSchedExt(),
  enabled: () => ({ count: (readSchedExt().enableSeq ?? 0) - firstSeq - strangers }),
  amiss: (policy) => {
    const now = readSetting(SLICE);
    return (now === slice) === (policy !== LONG) ? undefined : `${SLICE} reads ${now}`;
  },
  journal: async () => journal.lines(),
  // A task of the name that the stalling scheduler lets wait.
  works: () =>
    new Promise((resolve) => {
      const task = spawn('/usr/bin/sha256sum', ['/dev/null'], { stdio: 'ignore' });
      const timer = setTimeout(() => task.kill('SIGKILL'), 1000);
      task.once('exit', (code) => {
        clearTimeout(timer);
        resolve(code === 0);
      });
    }),
  inject: async (kind, random) => msOf(await inject[kind as keyof typeof inject](random)),
  heal: async (kind) => heal[kind]?.(),
};

tell('started', { kernel: readSchedExt() });
try {
  await injectFaults(site, {
    seed: Number(seed),
    count: Number(count),
    patienceMs: 20_000,
    say: (injection) => tell('injection', { ...injection }),
  });
} catch (error) {
  tell('broken', {
    error: String((error as Error).stack),
    log: readFileSync(join(STATE, '../daemon.log'), 'utf8').slice(-3000),
  });
}
await service.stop();
tell('stopped', {
  kernel: readSchedExt(),
  slice: readSetting(SLICE),
  sliceBefore: slice,
  starts: service.starts,
});
process.exit(0);
