// SPDX-License-Identifier: Apache-2.0
// The daemon in a guest: real schedulers, taken into effect, away and betrayed, with the kernel's word for each. Times are virtual.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FEATURES, FEATURES_VERSION } from '../../../analysis/features/definition.ts';
import { openMap } from '../../../analysis/policy-map/open-map.ts';
import { guestOrders } from '../../replay/guest-program.ts';
import type { SwitchReport } from '../../runtime/contracts.ts';
import { type Step, stepsOf } from '../../runtime/faults/guest/report.ts';
import type { Injection } from '../../runtime/faults/inject.ts';
import { summaryLines } from '../../runtime/faults/summary.ts';
import { ROOT, runInGuest } from './stage.ts';

const POLICIES = ['pmvx_chain', 'pmvx_latency', 'scx_simple', 'scx_flatcg', 'eevdf-slice-long'];
const MADE_UP = ['made-up-stall', 'made-up-error'];

const scratch = await mkdtemp(join(tmpdir(), 'pmvx-autotune-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** Runs a program of harness/runtime/faults/guest beside the daemon; what it told. */
async function besideDaemon(program: string, args: readonly string[], deadlineMs: number): Promise<Step[]> {
  const map = join(scratch, `${program}.db`);
  await (await openMap(map, { features: FEATURES_VERSION, dimensions: FEATURES.length })).close();
  const orders = await guestOrders(ROOT, {
    entry: `harness/runtime/faults/guest/${program}.ts`,
    args,
    policies: POLICIES,
    madeUp: MADE_UP,
    map,
    deadlineMs,
  });
  return stepsOf(await runInGuest(orders, 2, join(scratch, program)));
}

let told: Promise<Step[]> | undefined;
/** The steps of actuation.ts, which lives once for all tests. */
async function step<T>(name: string): Promise<T> {
  told ??= besideDaemon('actuation', [], 600_000);
  const found = (await told).find((each) => each.step === name);
  if (found === undefined)
    throw new Error(`no step ${name}: ${(await told).map((each) => each.step).join(', ')}`);
  if (found.ok === false) throw new Error(`${name}: ${found.error}`);
  return found as unknown as T;
}

interface Applied {
  readonly report: SwitchReport;
  readonly kernel: { readonly state: string; readonly ops?: string; readonly enableSeq: number };
  readonly policy: string;
  readonly slice: string;
  readonly sliceBefore: string;
}

const OPS = {
  pmvx_chain: 'pmvx_chain',
  pmvx_latency: 'pmvx_latency',
  scx_simple: 'simple',
  scx_flatcg: 'flatcg',
};

for (const [policy, ops] of Object.entries(OPS)) {
  test(`${policy} takes effect, as the kernel says`, async (t) => {
    const { report, kernel, policy: now } = await step<Applied>(`apply ${policy}`);
    t.like(report, { to: policy, outcome: 'active' });
    t.like(kernel, { state: 'enabled', ops });
    t.is(now, policy);
    t.log(report);
  });
}

test('a setting takes effect, and is put back', async (t) => {
  const { report, kernel, slice, sliceBefore } = await step<Applied>('apply eevdf-slice-long');
  t.like(report, { outcome: 'active' });
  t.is(kernel.state, 'disabled');
  t.not(slice, sliceBefore);
  const home = await step<Applied>('apply eevdf');
  t.is(home.slice, sliceBefore);
  t.is(home.kernel.state, 'disabled');
});

interface Kernel {
  readonly state: string;
  readonly ops?: string;
}

test('from one scheduler to another the gap is milliseconds, whoever holds them', async (t) => {
  for (const name of ['apply pmvx_latency', 'apply scx_simple', 'apply scx_flatcg']) {
    const { report } = await step<Applied>(name);
    t.true(report.gapNs > 0 && report.gapNs < 200e6, `${name}: ${report.gapNs / 1e6} ms`);
    t.log(
      `${report.from} -> ${report.to}: gap ${(report.gapNs / 1e6).toFixed(2)} ms, prepared in ${(report.preparedNs / 1e6).toFixed(0)} ms`,
    );
  }
});

test('kill -9 of the daemon: the kernel falls back to EEVDF by itself, and the next daemon says so', async (t) => {
  const own = await step<{
    before: Kernel;
    killed: Kernel;
    offMs: number;
    next: { policy: string; kernel: Kernel };
  }>('kill -9 under a scheduler of our own');
  t.like(own.before, { state: 'enabled', ops: 'pmvx_chain' });
  t.is(own.killed.state, 'disabled');
  t.true(own.offMs < 1000, `${own.offMs} ms`);
  t.like(own.next, { policy: 'eevdf', mode: 'running' });
  t.is(own.next.kernel.state, 'disabled');
  t.log(`EEVDF ${own.offMs.toFixed(1)} ms after the daemon was killed`);
});

test('kill -9 of the daemon ends a scheduler in a process of its own', async (t) => {
  const child = await step<{ before: Kernel; alive: boolean; offMs: number }>(
    'kill -9 under a scheduler in a process',
  );
  t.like(child.before, { state: 'enabled', ops: 'simple' });
  t.false(child.alive);
  t.true(child.offMs < 1000, `${child.offMs} ms`);
});

test('what a killed daemon had set is put back by the next one', async (t) => {
  const { before, during, after } = await step<{ before: string; during: string; after: string }>(
    'kill -9 under a setting',
  );
  t.not(during, before);
  t.is(after, before);
});

test('a scheduler whose process is killed is heard of, and quarantined', async (t) => {
  const { kernel, quarantine } = await step<{
    kernel: Kernel;
    quarantine: { policy: string; why: string }[];
  }>('the process of a scheduler is killed');
  t.is(kernel.state, 'disabled');
  t.is(quarantine[0]?.policy, 'scx_simple');
  t.regex(quarantine[0]?.why ?? '', /^died: /);
});

for (const [policy, words] of [
  ['made-up-stall', /^stalled: .*runnable task stall/s],
  ['made-up-error', /^ejected: .*a task came that is made up to be an error/s],
] as const) {
  test(`${policy} is thrown out by the kernel, heard of and quarantined, within five seconds`, async (t) => {
    const { before, sinceStartMs, quarantine } = await step<{
      before: Kernel;
      sinceStartMs: number;
      quarantine: { policy: string; why: string }[];
    }>(policy);
    t.is(before.state, 'enabled');
    t.true(sinceStartMs < 5000, `${sinceStartMs} ms`);
    const entry = quarantine.find((each) => each.policy === policy);
    t.regex(entry?.why ?? '', words);
    t.log(`${sinceStartMs.toFixed(0)} ms; ${entry?.why}`);
  });
}

test('SysRq-S latches until resume', async (t) => {
  const { why, refused, again } = await step<{ why: string; refused?: SwitchReport; again?: SwitchReport }>(
    'SysRq-S',
  );
  t.regex(why, /sysrq-S/i);
  t.is(refused, undefined);
  t.like(again, { outcome: 'active' });
});

test('the daemon steps aside for a scheduler that somebody loads by hand, and comes back', async (t) => {
  const { refused, again } = await step<{ refused?: SwitchReport; again?: SwitchReport }>(
    'an administrator loads a scheduler',
  );
  t.is(refused, undefined);
  t.like(again, { outcome: 'active', to: 'pmvx_chain' });
});

test('the kill switch leaves EEVDF', async (t) => {
  const { before, mode, after } = await step<{ before: Kernel; mode: string; after: Kernel }>(
    'the kill switch',
  );
  t.is(before.state, 'enabled');
  t.is(mode, 'killed');
  t.is(after.state, 'disabled');
});

test('SIGTERM leaves EEVDF with its own settings', async (t) => {
  const { before, during, after, kernel } = await step<{
    before: string;
    during: string;
    after: string;
    kernel: Kernel;
  }>('SIGTERM under a setting');
  t.not(during, before);
  t.is(after, before);
  t.is(kernel.state, 'disabled');
});

/** Only when asked for, as many as the environment says: each takes some seconds of the host. */
const FAULTS_MADE = Number(process.env.PMVX_FAULTS ?? 0);
const whenAsked = FAULTS_MADE > 0 ? test : test.skip;

whenAsked(
  `after each of ${FAULTS_MADE} random faults: within five seconds a scheduler that works, a true report, no unlogged switch`,
  async (t) => {
    const seed = process.env.PMVX_FAULTS_SEED ?? '1';
    const steps = await besideDaemon('faults', [String(FAULTS_MADE), seed], 60_000 + FAULTS_MADE * 30_000);
    const broken = steps.find((each) => each.step === 'broken');
    t.is(broken, undefined, JSON.stringify(broken));
    const injections = steps.filter((each) => each.step === 'injection') as unknown as Injection[];
    t.is(injections.length, FAULTS_MADE);
    for (const { kind, under, recoveredMs, faults } of injections) {
      const within = recoveredMs !== undefined && recoveredMs <= 5000;
      t.true(within, `${kind} under ${under}: ${recoveredMs ?? 'never'} ms; ${faults.join('; ')}`);
    }
    t.like(steps.at(-1), { step: 'stopped', kernel: { state: 'disabled' } });
    for (const line of summaryLines(injections)) t.log(line);
  },
);
