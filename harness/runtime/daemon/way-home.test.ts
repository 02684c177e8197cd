// SPDX-License-Identifier: Apache-2.0
// The way home waits for nobody: no map, no disk, no line.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type Actuator, EEVDF, type Selector, type Sensor } from '../contracts.ts';
import { GUARD_DEFAULTS } from '../guard/config.ts';
import { INITIAL } from '../guard/state.ts';
import { Journal } from '../journal/journal.ts';
import { systemClock } from '../sense/clock.ts';
import { Daemon, type DaemonParts } from './daemon.ts';
import { Disk } from './disk.ts';
import { Latch } from './latch.ts';
import { sceneHealth, sceneSelection } from './scene.ts';

const never = new Promise<never>(() => undefined);

/** A daemon under policy `a`, with windows as fast as it takes them. */
function daemonUnderA(given: Partial<DaemonParts> & { readonly release?: () => Promise<void> } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-home-'));
  const disk = new Disk();
  const journal = Journal.open({
    ...{ path: join(folder, 'j.jsonl'), clock: systemClock, life: 'l', mostBytes: 1 << 24, keep: 1, disk },
  });
  let held = 'a';
  const preparing = Promise.withResolvers<void>();
  const release = given.release ?? (async () => undefined);
  const actuator: Actuator = {
    policies: new Map([
      [EEVDF, { kind: 'builtin', version: '' }],
      ['a', { kind: 'struct_ops', version: '1' }],
      ['b', { kind: 'struct_ops', version: '1' }],
    ]),
    current: async () => ({ state: held === EEVDF ? 'disabled' : 'enabled' }),
    held: () => held,
    departure: async () => undefined,
    stranger: async () => undefined,
    release: async () => undefined,
    abandon: async () => {
      await release();
      held = EEVDF;
    },
    switchTo: async (to, signal) => {
      const from = held;
      const base = { from, to, gapNs: 0, preparedNs: 0 };
      if (to === 'b') {
        preparing.resolve();
        await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
      }
      if (signal?.aborted) return { ...base, outcome: 'refused', why: 'no', now: held, blamed: false };
      try {
        await release();
      } catch (error) {
        return { ...base, outcome: 'refused', why: (error as Error).message, now: held, blamed: false };
      }
      held = to;
      return { ...base, outcome: 'active', proof: '' };
    },
  };
  let index = 0;
  const sensor: Sensor = {
    async next(signal) {
      await systemClock.until(systemClock.nowNs() + 5e6, signal);
      const vector = { features: 'f', values: [1, 0] };
      return {
        index: index++,
        beganNs: systemClock.nowNs(),
        ms: 5,
        counters: {},
        vector,
        health: sceneHealth(),
      };
    },
    close: () => undefined,
  };
  const selector: Selector = { select: async () => sceneSelection('a'), close: async () => undefined };
  const daemon = new Daemon({
    ...{
      sensor,
      selector,
      actuator,
      journal,
      clock: systemClock,
      guard: GUARD_DEFAULTS,
      kernel: 'k',
      cpus: 2,
    },
    ...{ dry: false, recalled: { ...INITIAL, policy: 'a' }, keep: () => undefined },
    latch: new Latch(join(folder, 'killed'), disk),
    ...given,
  });
  const stop = new AbortController();
  const running = daemon.run(stop.signal);
  const windows = async (count: number) => {
    const from = daemon.last?.window.index ?? 0;
    while ((daemon.last?.window.index ?? 0) < from + count)
      await systemClock.until(systemClock.nowNs() + 5e6, stop.signal);
  };
  return {
    ...{ daemon, folder, disk, windows, preparing: preparing.promise },
    held: () => held,
    async stop() {
      stop.abort(new Error('SIGTERM'));
      await running;
    },
  };
}

test('a map that never answers is asked once, and neither windows nor the kill switch nor the end wait for it', async (t) => {
  let asked = 0;
  const selector: Selector = {
    select: () => {
      asked++;
      return never;
    },
    close: async () => undefined,
  };
  const { daemon, windows, held, stop } = daemonUnderA({ selector, selectMs: 20 });
  await windows(2);
  t.is(asked, 1);
  t.like(daemon.last?.selection, { policy: EEVDF, rule: 'map-unreadable' });
  t.regex(daemon.last?.selection.why ?? '', /^the map has owed an answer for \d+ s$/);
  const line = await daemon.killNow('enough');
  t.is(held(), EEVDF);
  t.like(line, { kind: 'event', event: 'killed', rule: 'killed' });
  await stop();
});

test('a map that answers by throwing is an answer', async (t) => {
  const selector: Selector = {
    select: () => Promise.reject(new Error('torn')),
    close: async () => undefined,
  };
  const { daemon, windows, stop } = daemonUnderA({ selector });
  await windows(2);
  t.like(daemon.last?.selection, { rule: 'map-unreadable', why: 'torn' });
  await stop();
});

test('the kill switch passes whatever stands in line', async (t) => {
  const { daemon, held, stop } = daemonUnderA();
  const inLine = Promise.withResolvers<void>();
  void daemon.serial(() => inLine.promise);
  const killed = daemon.killNow('enough');
  // Some turns of the loop, and nothing in line has moved.
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  t.is(held(), EEVDF);
  t.is(daemon.state.killed, 'enough');
  inLine.resolve();
  t.like(await killed, { rule: 'killed', to: EEVDF });
  await stop();
});

test('the kill switch ends a preparation, and the end of the daemon does', async (t) => {
  for (const end of ['kill', 'stop'] as const) {
    const { daemon, held, preparing, stop } = daemonUnderA();
    const apply = {
      kind: 'apply',
      policy: 'b',
      unguarded: true,
      canLog: true,
      nowNs: systemClock.nowNs(),
    } as const;
    const applied = daemon.serial(() => daemon.decide(apply, 'switched', 'apply b'));
    await preparing;
    if (end === 'kill') await daemon.killNow('enough');
    else await stop();
    t.is(held(), EEVDF);
    t.like(await applied, { answer: { outcome: 'refused' } });
    if (end === 'kill') await stop();
  }
});

test('a disk that does not answer holds up no way home; a switch that it cannot record is not made; records follow, and say that they are late', async (t) => {
  const { daemon, disk, folder, held, windows, stop } = daemonUnderA();
  await windows(1);
  const thaw = Promise.withResolvers<void>();
  void disk.later(() => thaw.promise);
  const apply = {
    kind: 'apply',
    policy: 'b',
    unguarded: true,
    canLog: true,
    nowNs: systemClock.nowNs(),
  } as const;
  const line = await daemon.serial(() => daemon.decide(apply, 'switched', 'apply b'));
  t.like(line, { answer: { outcome: 'refused', why: 'the intent cannot be recorded, so it was not done' } });
  t.is(held(), 'a');
  t.regex(disk.fault ?? '', /^the disk has not answered for \d+ s$/);
  t.like(await daemon.killNow('enough'), { rule: 'killed', to: EEVDF });
  t.is(held(), EEVDF);
  t.is(daemon.state.killed, 'enough');
  // What was written last is late by as much at least.
  await systemClock.until(systemClock.nowNs() + 600e6, AbortSignal.timeout(60_000));
  thaw.resolve();
  await stop();
  t.true(await disk.idle(60_000));
  t.deepEqual(JSON.parse(readFileSync(join(folder, 'killed'), 'utf8')), { why: 'enough' });
  const lines = readFileSync(join(folder, 'j.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each));
  t.true(lines.some(({ kind, event, lateMs }) => kind === 'event' && event === 'switched' && lateMs > 500));
});

test('a way home that is refused is tried again until it is not, without a window', async (t) => {
  let left = 3;
  const release = async () => {
    if (left-- > 0) throw new Error('busy');
  };
  const sensor: Sensor = {
    next: (signal) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
      ),
    close: () => undefined,
  };
  const { daemon, held, stop } = daemonUnderA({ sensor, release: release as never });
  await daemon.killNow('enough').catch(() => undefined);
  while (held() !== EEVDF) await systemClock.until(systemClock.nowNs() + 20e6, AbortSignal.timeout(60_000));
  t.true(left < 0);
  await daemon.serial(async () => undefined);
  t.is(daemon.state.policy, EEVDF);
  t.is(daemon.state.leaving, undefined);
  await stop();
});

test('a kill file is seen between windows, whatever stands in line', async (t) => {
  const { daemon, folder, held, stop } = daemonUnderA();
  const inLine = Promise.withResolvers<void>();
  void daemon.serial(() => inLine.promise);
  writeFileSync(join(folder, 'killed'), '');
  while (held() !== EEVDF) await systemClock.until(systemClock.nowNs() + 20e6, AbortSignal.timeout(60_000));
  inLine.resolve();
  t.regex((await daemon.serial(async () => daemon.state.killed)) ?? '', /killed is there$/);
  await stop();
});
