// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { SceneClock } from '../daemon/scene.ts';
import type { PulseTotals } from './pulse.ts';
import { RestWatch } from './rest.ts';

const CONFIG = { after: 3, mostMs: 4000, factor: 1.5 };
const never = new AbortController().signal;

/** A machine with so many context switches a second, after one window. */
function scene(rate: (seconds: number) => number) {
  const clock = new SceneClock();
  let switches = 0;
  let lastNs = clock.ns;
  const read = (): PulseTotals => {
    const seconds = (clock.ns - lastNs) / 1e9;
    lastNs = clock.ns;
    switches += seconds * rate((clock.ns - 1e12) / 1e9);
    return { events: { 'context switches': switches }, ticks: { user: switches, idle: switches } };
  };
  const watch = new RestWatch(clock, 4, read);
  /** A window of a second that agrees. */
  const window = () => {
    clock.ns += 1e9;
    watch.closed();
    watch.agreed();
  };
  watch.closed();
  window();
  return { clock, watch, window };
}

test('without a change the rest lasts as long as it may, and no longer', async (t) => {
  const { watch } = scene(() => 10_000);
  t.deepEqual(await watch.until(CONFIG, 1000, () => true, never), {
    ms: 4000,
    woke: 'it was time',
    changed: false,
  });
});

test('a change ends it at the step after, and is usual once a window agreed, until another policy is in effect', async (t) => {
  const { watch, window } = scene((seconds) => (seconds <= 3 ? 10_000 : 40_000));
  const changed = { woke: '40000/s context switches, were 10000/s', changed: true };
  t.deepEqual(await watch.until(CONFIG, 1000, () => true, never), { ms: 3000, ...changed });
  t.deepEqual(await watch.until(CONFIG, 1000, () => true, never), { ms: 1000, ...changed });
  window();
  t.is((await watch.until(CONFIG, 1000, () => true, never)).woke, 'it was time');
  watch.forget();
  t.is((await watch.until(CONFIG, 1000, () => true, never)).woke, 'it was time', 'nothing is known');
});

test('a window that did not agree is not how it usually goes', async (t) => {
  const { clock, watch } = scene((seconds) => (seconds <= 1 ? 10_000 : 40_000));
  clock.ns += 1e9;
  watch.closed();
  t.is((await watch.until(CONFIG, 1000, () => true, never)).changed, true);
});

test('a load that becomes another one in small steps is told', async (t) => {
  const { watch } = scene((seconds) => 10_000 * 1.3 ** (seconds - 1));
  const { ms, changed } = await watch.until(CONFIG, 1000, () => true, never);
  t.deepEqual({ ms, changed }, { ms: 2000, changed: true });
});

test('what happens elsewhere ends it at the next step', async (t) => {
  const { watch } = scene(() => 10_000);
  let steps = 0;
  t.deepEqual(await watch.until(CONFIG, 1000, () => ++steps < 2, never), {
    ms: 2000,
    woke: 'something happened',
    changed: false,
  });
});

test('a kernel that does not tell how it goes is not rested beside', async (t) => {
  const watch = new RestWatch(new SceneClock(), 4, () => undefined);
  t.deepEqual(await watch.until(CONFIG, 1000, () => true, never), {
    ms: 1000,
    woke: 'the kernel does not tell how it goes',
    changed: false,
  });
});

test('it ends with the daemon', async (t) => {
  const { watch } = scene(() => 10_000);
  await t.throwsAsync(
    watch.until(CONFIG, 1000, () => true, AbortSignal.abort(new Error('end'))),
    {
      message: 'end',
    },
  );
});
