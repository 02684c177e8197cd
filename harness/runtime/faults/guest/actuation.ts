// SPDX-License-Identifier: Apache-2.0
// Runs in a guest: every kind of policy taken into effect, away, and betrayed, with the real kernel's word for each.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readSchedExt } from '../../actuate/sched-ext.ts';
import { readSetting } from '../../actuate/setting.ts';
import type { Status, SwitchReport } from '../../contracts.ts';
import { tell } from './report.ts';
import { FOLDER, journal, kernelSays, startDaemon } from './stage.ts';

const SLICE = '/sys/kernel/debug/sched/base_slice_ns';
const POLICIES = [
  'pmvx_chain',
  'pmvx_latency',
  'scx_simple',
  'scx_flatcg',
  'eevdf-slice-long',
  'made-up-stall',
  'made-up-error',
];

const service = await startDaemon(POLICIES);

async function apply(policy: string): Promise<SwitchReport | undefined> {
  const line = await service.ask('apply', { policy });
  return line?.kind === 'event' ? line.answer : undefined;
}
const status = async (): Promise<Status> => (await service.ask('status', {})) ?? service.ready(30_000);
const isOff = ({ state }: { state: string }) => state === 'disabled';

/** Waits until the daemon's own word is as wanted. */
async function says(wanted: (now: Status) => boolean, patienceMs = 10_000): Promise<number> {
  const began = performance.now();
  for (;;) {
    const now = await status();
    if (wanted(now)) return performance.now() - began;
    if (performance.now() - began > patienceMs) throw new Error(`the daemon says ${JSON.stringify(now)}`);
    await delay(5);
  }
}

async function section(name: string, body: () => Promise<Readonly<Record<string, unknown>>>): Promise<void> {
  try {
    tell(name, { ok: true, ...(await body()) });
  } catch (error) {
    tell(name, { ok: false, error: String((error as Error).stack) });
  }
}

tell('started', { kernel: readSchedExt(), status: await status() });
const slice = readSetting(SLICE);

for (const to of [
  'pmvx_chain',
  'pmvx_latency',
  'pmvx_chain',
  'scx_simple',
  'scx_flatcg',
  'pmvx_latency',
  'eevdf-slice-long',
  'scx_simple',
  'eevdf',
])
  await section(`apply ${to}`, async () => {
    const report = await apply(to);
    const { policy } = await status();
    return {
      report,
      kernel: readSchedExt(),
      policy,
      slice: readSetting(SLICE),
      sliceBefore: slice,
      expedited: readSetting('/sys/kernel/rcu_expedited'),
    };
  });

await section('kill -9 under a scheduler of our own', async () => {
  await apply('pmvx_chain');
  const before = readSchedExt();
  const { pid } = await status();
  process.kill(pid, 'SIGKILL');
  const offMs = await kernelSays(isOff);
  const killed = readSchedExt();
  const next = await service.ready(30_000);
  return { before, killed, offMs, pid, next };
});

await section('kill -9 under a scheduler in a process', async () => {
  await apply('scx_simple');
  const before = readSchedExt();
  const { children } = JSON.parse(readFileSync(`${FOLDER}/state/leftovers.json`, 'utf8'));
  const { pid } = await status();
  process.kill(pid, 'SIGKILL');
  const offMs = await kernelSays(isOff);
  const child = children[0]?.pid;
  let alive = true;
  for (let left = 200; left > 0 && alive; left--) {
    try {
      // Nobody may have taken its status yet.
      alive = !/^State:\s+Z/m.test(readFileSync(`/proc/${child}/status`, 'utf8'));
      await delay(5);
    } catch {
      alive = false;
    }
  }
  const next = await service.ready(30_000);
  return { before, child, alive, offMs, next };
});

await section('kill -9 under a setting', async () => {
  await apply('eevdf-slice-long');
  const during = readSetting(SLICE);
  const { pid } = await status();
  process.kill(pid, 'SIGKILL');
  await says((now) => now.pid !== pid, 30_000);
  return { before: slice, during, after: readSetting(SLICE) };
});

await section('the process of a scheduler is killed', async () => {
  await apply('scx_simple');
  const { children } = JSON.parse(readFileSync(`${FOLDER}/state/leftovers.json`, 'utf8'));
  process.kill(children[0].pid, 'SIGKILL');
  const toldMs = await says(({ policy }) => policy === 'eevdf');
  return { toldMs, kernel: readSchedExt(), quarantine: (await status()).quarantine };
});

for (const policy of ['made-up-stall', 'made-up-error'])
  await section(policy, async () => {
    await apply(policy);
    const before = readSchedExt();
    const began = performance.now();
    const sha = spawn('/usr/bin/sha256sum', ['/dev/zero'], { stdio: 'ignore' });
    const offMs = await kernelSays(isOff, 20_000);
    const toldMs = await says((now) => now.policy === 'eevdf');
    sha.kill('SIGKILL');
    const { quarantine } = await status();
    return { before, offMs, toldMs, sinceStartMs: performance.now() - began, quarantine };
  });

await section('SysRq-S', async () => {
  await apply('pmvx_latency');
  writeFileSync('/proc/sysrq-trigger', 'S');
  const offMs = await kernelSays(isOff);
  await says(({ mode }) => mode === 'killed');
  const { why } = await status();
  const refused = await apply('pmvx_latency');
  await service.ask('resume', {});
  const again = await apply('pmvx_latency');
  await apply('eevdf');
  return { offMs, why, refused, again };
});

await section('an administrator loads a scheduler', async () => {
  const theirs = spawn('/opt/pmvx/sched/scx_simple', [], { stdio: 'ignore' });
  await kernelSays(({ ops }) => ops === 'simple');
  const asideMs = await says(({ mode }) => mode === 'stepped-aside');
  const refused = await apply('pmvx_chain');
  theirs.kill('SIGINT');
  await once(theirs, 'exit');
  const backMs = await says(({ mode }) => mode === 'running');
  return { asideMs, refused, backMs, again: await apply('pmvx_chain') };
});

await section('the kill switch', async () => {
  const before = readSchedExt();
  const now = await service.ask('stop', { why: 'test' });
  const after = readSchedExt();
  await service.ask('resume', {});
  return { before, mode: now?.mode, after };
});

await section('SIGTERM under a setting', async () => {
  await apply('eevdf-slice-long');
  const during = readSetting(SLICE);
  await service.stop();
  return { before: slice, during, after: readSetting(SLICE), kernel: readSchedExt() };
});

const lines = journal.lines();
tell('journal', {
  lines: lines.length,
  intents: lines.filter(({ kind }) => kind === 'intent').length,
  enableSeq: readSchedExt().enableSeq,
  events: lines.flatMap((line) =>
    line.kind === 'event' ? [`${line.event}: ${line.what.slice(0, 200)}`] : [],
  ),
});
process.exit(0);
