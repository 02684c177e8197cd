// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { halfBusy } from '../../../analysis/features/sample-counted.ts';
import { SceneClock } from '../daemon/scene.ts';
import type { HostProbes } from '../host-probes.ts';
import { ProbeSensor } from './sensor.ts';

const never = new AbortController().signal;
const calm = (windows: number) => () => ({ policy: 'eevdf', windows });

/** Probes that count as those of a half busy machine while they do not rest, and what became of them. */
function scene(given: { readonly refuses?: () => boolean } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-sensor-'));
  const clock = new SceneClock();
  const seen = { paused: 0, resumed: 0, opened: 0 };
  let restedNs = 0;
  mkdirSync(join(folder, 'pressure'));
  const tick = () => {
    const seconds = (clock.ns - 1e12) / 1e9;
    const ticks = Math.round(seconds * 100);
    writeFileSync(
      join(folder, 'stat'),
      `cpu  ${ticks} 0 0 ${ticks} 0 0 0\nctxt ${Math.round(seconds * 10_000)}\nprocesses 1\n`,
    );
  };
  tick();
  const wait = clock.until.bind(clock);
  clock.until = async (atNs, signal) => {
    await wait(atNs, signal);
    tick();
  };
  const open = (set: 'cpu' | 'mem' | 'io' | 'net'): HostProbes => {
    seen.opened++;
    let since: number | undefined;
    return {
      read: () => {
        const ns = (since ?? clock.ns) - 1e12 - restedNs;
        return { [set]: { ns, missed: 0, counters: halfBusy(ns / 1e9).sets[set] ?? {} } };
      },
      pause: () => {
        seen.paused++;
        since = clock.ns;
      },
      resume: () => {
        if (given.refuses?.()) throw new Error('ENOMEM');
        seen.resumed++;
        if (set === 'cpu') restedNs += clock.ns - (since as number);
        since = undefined;
      },
      close: () => undefined,
    };
  };
  const sensor = new ProbeSensor({
    sets: ['cpu'],
    windowMs: 1000,
    rest: { after: 3, mostMs: 4000, factor: 1.5 },
    cpus: 4,
    clock,
    open: open as never,
    proc: folder,
  });
  return {
    sensor,
    seen,
    close: () => rmSync(folder, { recursive: true }),
  };
}

test('probes rest while nothing changes, and a window after it counts itself alone', async (t) => {
  const { sensor, seen, close } = scene();
  const busy = await sensor.next(never, calm(2));
  t.is(busy.rested, undefined);
  t.deepEqual(seen, { paused: 0, resumed: 0, opened: 1 });
  const rested = await sensor.next(never, calm(3));
  t.deepEqual(rested.rested, { ms: 4000, woke: 'it was time', changed: false });
  t.deepEqual(seen, { paused: 1, resumed: 1, opened: 1 });
  t.is(rested.ms, 1000);
  t.deepEqual(rested.counters.cpu?.ns, 1e9);
  t.is(rested.health.busy?.toFixed(3), busy.health.busy?.toFixed(3));
  close();
});

test('probes that cannot come back are loaded anew, and the fault is told', async (t) => {
  let refuses = true;
  const { sensor, seen, close } = scene({ refuses: () => refuses });
  await sensor.next(never, calm(0));
  const blind = await sensor.next(never, calm(3));
  t.truthy(blind.rested);
  t.truthy(blind.unknown);
  refuses = false;
  t.is(seen.opened, 2);
  const again = await sensor.next(never, calm(3));
  t.truthy(again.counters.cpu, 'and nothing rests before that');
  t.deepEqual(sensor.faults(), []);
  close();
});

test('a sensor whose pace was changed while it rested begins anew', async (t) => {
  const { sensor, seen, close } = scene();
  await sensor.next(never, calm(0));
  let asked = 0;
  const window = await sensor.next(never, () => {
    if (++asked === 2) sensor.pace(500, 100);
    return { policy: 'eevdf', windows: 3 };
  });
  t.is(window.rested?.woke, 'something happened');
  t.is(seen.opened, 2);
  t.is(Math.round(window.ms), 500);
  close();
});
