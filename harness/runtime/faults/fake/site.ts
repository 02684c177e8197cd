// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FEATURES_VERSION } from '../../../../analysis/features/definition.ts';
import { halfBusy } from '../../../../analysis/features/sample-counted.ts';
import { windowVector } from '../../../../analysis/features/window-vector.ts';
import { settleCalibrations } from '../../../../analysis/policy-map/choose/calibration.ts';
import type { Machine } from '../../../../analysis/policy-map/evidence.ts';
import { openMap } from '../../../../analysis/policy-map/open-map.ts';
import {
  sampleObservation,
  sampleOutcome,
  sampleRunEvidence,
} from '../../../../analysis/policy-map/sample-evidence.ts';
import { EEVDF } from '../../contracts.ts';
import { systemClock } from '../../sense/clock.ts';
import { homeAfter, msOf, processFaults } from '../hang.ts';
import { JournalTail } from '../journal-tail.ts';
import { Service } from '../service.ts';
import { FAULTS, type FaultKind, type Site } from '../site.ts';
import { FakeKernel } from './kernel.ts';

/** A name for each kind of policy, and for EEVDF. */
const POLICIES = new Map([
  ['link-a', 'link_a'],
  ['link-b', 'link_b'],
  ['child', 'child'],
  ['setting', undefined],
  [EEVDF, undefined],
]);

const MACHINE: Machine = {
  engine: 'mock',
  kernel: 'fake',
  nodes: 1,
  sockets: 1,
  cores: 4,
  threads: 1,
  cpu: 'none',
};

/** The daemon as a process, on a machine whose kernel is the one of kernel.ts; `close` ends all of it. */
export async function openFakeSite(
  folder: string,
  { guardianMs = 750, patienceMs = 30_000 } = {},
): Promise<Site & { readonly service: Service; readonly isHome: () => boolean; close(): Promise<void> }> {
  const state = join(folder, 'state');
  mkdirSync(state, { recursive: true });
  const disk = mountSmallDisk(folder, state);
  const progress = join(folder, 'progress');
  writeFileSync(progress, '1');
  const kernel = await FakeKernel.start(folder);
  const policies = writePolicies(folder);
  writeFileSync(join(folder, 'setting'), '10\n');
  mkdirSync(join(folder, 'probes'), { recursive: true });
  for (const set of ['cpu', 'mem', 'io', 'net']) writeFileSync(join(folder, 'probes', set), '');
  const map = join(folder, 'map.db');
  await writeMap(map);
  copyFileSync(map, `${map}.good`);
  const config = join(folder, 'config.yaml');
  writeFileSync(config, configText(progress, guardianMs));
  const service = new Service({
    argv: [process.execPath, join(import.meta.dirname, 'daemon.ts'), folder, map, config, policies],
    socket: join(folder, 'daemon.sock'),
    log: join(folder, 'daemon.log'),
    restartMs: 100,
  });
  const close = async () => {
    try {
      await service.stop();
    } finally {
      await kernel.stop();
      if (disk) execFileSync('umount', ['-l', state]);
      rmSync(folder, { recursive: true, force: true });
    }
  };
  try {
    await service.ready(60_000);
  } catch (error) {
    await close();
    throw error;
  }
  const tail = new JournalTail(join(state, 'journal.jsonl'));

  const isHome = () =>
    kernel.state.state === 'disabled' && readFileSync(join(folder, 'setting'), 'utf8').trim() === '10';
  const home = { isHome, nowNs: () => systemClock.nowNs(), patienceMs };
  const children = () => {
    const left = join(state, 'leftovers.json');
    // A daemon that has had nothing to leave yet has not written it.
    if (!existsSync(left)) return [];
    return (JSON.parse(readFileSync(left, 'utf8')) as { readonly children: { readonly pid: number }[] })
      .children;
  };

  const inject: Record<FaultKind, (random: () => number) => unknown> = {
    ...processFaults(service, home),
    'kill-switch-frozen': async (random) => {
      execFileSync('fsfreeze', ['-f', state]);
      try {
        await delay(random() * 1500);
        return await homeAfter(() => void service.ask('stop', {}), home);
      } finally {
        execFileSync('fsfreeze', ['-u', state]);
      }
    },
    'deaf-scheduler': async () => {
      const pids = children().map(({ pid }) => pid);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      return homeAfter(() => void service.ask('stop', {}), home);
    },
    'pipe-for-progress': async () => {
      rmSync(progress);
      execFileSync('mkfifo', [progress]);
      const from = (await service.ask('status', {}))?.window?.index ?? 0;
      const goesOn = async () => ((await service.ask('status', {}))?.window?.index ?? 0) > from;
      while (!(await goesOn())) await delay(20);
    },
    'kill-daemon': () => service.kill(),
    'kill-daemon-switching': async (random) => {
      const names = [...POLICIES.keys()];
      const to = names[Math.floor(random() * names.length)] as string;
      void service.ask('apply', { policy: to });
      await delay(random() * 30);
      await service.kill();
    },
    'kill-scheduler': async () => {
      const found = children();
      // Of a scheduler that is held by a link of the daemon, the link.
      if (found.length === 0) kernel.end('unregistered from user space');
      for (const { pid } of found) process.kill(pid, 'SIGKILL');
      // What has not come to pass by then is told by who looks next.
      for (const until = performance.now() + 60_000; performance.now() < until; await delay(1))
        if (kernel.state.state === 'disabled') return;
    },
    eject: () => kernel.end('runtime error'),
    stall: async () => {
      await delay(500);
      kernel.end('runnable task stall');
    },
    sysrq: () => kernel.end('disabled by sysrq-S'),
    stranger: () => void kernel.enableForeign('theirs'),
    'corrupt-map': (random) => {
      const bytes = readFileSync(map);
      writeFileSync(map, random() < 0.5 ? bytes.subarray(0, 3000) : Buffer.alloc(bytes.length, 7));
    },
    'full-disk': () => {
      try {
        for (;;) appendFileSync(join(state, 'ballast'), Buffer.alloc(1 << 20));
      } catch {
        // No such piece fits any more.
      }
      try {
        for (;;) appendFileSync(join(state, 'ballast'), Buffer.alloc(4096));
      } catch {
        // Full.
      }
    },
    'probe-gone': () => rmSync(join(folder, 'probes/cpu')),
  };
  const heal: Partial<Record<FaultKind, () => void>> = {
    stranger: () => kernel.end('unregistered from user space'),
    'corrupt-map': () => {
      copyFileSync(`${map}.good`, `${map}.new`);
      renameSync(`${map}.new`, map);
    },
    'full-disk': () => rmSync(join(state, 'ballast'), { force: true }),
    'probe-gone': () => writeFileSync(join(folder, 'probes/cpu'), ''),
    'pipe-for-progress': () => {
      rmSync(progress, { force: true });
      writeFileSync(progress, '1');
    },
  };
  return {
    nowNs: () => systemClock.nowNs(),
    service,
    isHome,
    kinds: FAULTS.filter((kind) => disk || !NEEDS_DISK.has(kind)),
    policies: POLICIES,
    policiesFor: (kind) =>
      kind === 'deaf-scheduler'
        ? ['child']
        : [...POLICIES].flatMap(([policy, ops]) => (fits(kind, ops !== undefined) ? [policy] : [])),
    status: () => service.ask('status', {}),
    apply: async (policy) => {
      const done = await service.ask('apply', { policy });
      return done === undefined ? (service.refusal ?? 'nobody answers') : undefined;
    },
    resume: async () => void (await service.ask('resume', {})),
    kernel: () => kernel.state,
    // The administrator's own is nobody's to tell of.
    enabled: () => {
      const names = kernel.names.filter((name) => name !== 'theirs');
      return { count: names.length, names };
    },
    amiss: (policy) => {
      const now = readFileSync(join(folder, 'setting'), 'utf8').trim();
      return now === (policy === 'setting' ? '20' : '10') ? undefined : `the setting reads ${now}`;
    },
    journal: async () => tail.lines(),
    works: async () => true,
    inject: async (kind, random) => msOf(await inject[kind](random)),
    heal: async (kind) => heal[kind]?.(),
    close,
  };
}

/** A scheduler can only be killed or thrown out while there is one, and somebody else's only come while there is none. */
function fits(kind: FaultKind, isScheduler: boolean): boolean {
  if (kind === 'stranger') return !isScheduler;
  return isScheduler || !['kill-scheduler', 'eject', 'stall', 'sysrq'].includes(kind);
}

/** Faults that need a disk of their own: one that can be filled and frozen without harm to others. */
const NEEDS_DISK: ReadonlySet<FaultKind> = new Set(['full-disk', 'kill-switch-frozen']);

/** False where nothing may be mounted. */
function mountSmallDisk(folder: string, place: string): boolean {
  const image = join(folder, 'disk.img');
  const run = (file: string, args: readonly string[]) => execFileSync(file, args, { stdio: 'ignore' });
  try {
    writeFileSync(image, '');
    truncateSync(image, 64 << 20);
    run('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    run('mount', ['-o', 'loop', image, place]);
    return true;
  } catch {
    rmSync(image, { force: true });
    return false;
  }
}

function writePolicies(folder: string): string {
  const place = join(folder, 'policies');
  const words = 'summary: s\nsuits: s\nweakness: s\nsource: s\n';
  const texts: Readonly<Record<string, string>> = {
    'link-a': `kind: struct_ops\n${words}ops: link_a\n`,
    'link-b': `kind: struct_ops\n${words}ops: link_b\n`,
    child: `kind: process\n${words}argv: [/nowhere]\nops: child\n`,
    setting: `kind: knob\nsubsystem: sched\n${words}settings: [{ path: /proc/sys/kernel/none, value: "20" }]\n`,
    [EEVDF]: `kind: builtin\n${words}`,
  };
  for (const [id, text] of Object.entries(texts)) {
    mkdirSync(join(place, id), { recursive: true });
    writeFileSync(join(place, id, 'policy.yaml'), text);
  }
  return place;
}

/** Short windows and times, so that a fault and what follows fit in some seconds. */
function configText(progress: string, guardianMs: number): string {
  return `windowMs: 100
progressFile: ${progress}
guardianMs: ${guardianMs}
machine: { engine: mock, kernel: fake, nodes: 1, sockets: 1, cores: 4, threads: 1, cpu: none }
unguarded: true
guard: { asideMs: 100, quarantine: { firstMs: 200, mostMs: 1000 }, dwell: { ms: 300 } }
deadlineMs: 1000
`;
}

/** A map in which what the probes show is a known situation that `link-a` is good for. */
async function writeMap(path: string): Promise<void> {
  const counters = Object.fromEntries(
    Object.entries(halfBusy().sets).map(([set, values]) => [set, { ns: 1e9, missed: 0, counters: values }]),
  );
  const vector = windowVector(counters, 4);
  if (vector.kind === 'unknown') throw new Error(vector.why);
  const { values } = vector;
  if (existsSync(path)) rmSync(path);
  const map = await openMap(path, { features: FEATURES_VERSION, dimensions: values.length });
  const evidence = Array.from({ length: 12 }, (_, at) => {
    const workload = `w${at}`;
    const cost = { primary: Math.log(0.5) + 0.002 * Math.sin(7 * at) };
    const turned = values.map((value, place) => value * (1 + 0.02 * Math.sin(at + place)));
    const length = Math.hypot(...turned);
    return [
      sampleObservation({ workload, trial: `${at}-0`, vector: turned.map((value) => value / length) }),
      ...[0, 1, 2, 3].map((block) =>
        sampleOutcome({ workload, block, trial: `${at}-1${block}`, policy: 'link-a', logCosts: cost }),
      ),
    ];
  }).flat();
  await map.learn([sampleRunEvidence({ machine: MACHINE }), ...evidence], settleCalibrations);
  await map.close();
}
