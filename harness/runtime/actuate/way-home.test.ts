// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { EEVDF, type KernelState } from '../contracts.ts';
import { SceneKernel } from '../daemon/scene.ts';
import { systemClock } from '../sense/clock.ts';
import type { Holder } from './holder.ts';
import { KernelActuator } from './kernel-actuator.ts';

function actuatorOf(kernel: SceneKernel, holders: Readonly<Record<string, Holder>>): KernelActuator {
  return new KernelActuator({
    holders: new Map(Object.entries(holders)),
    readState: () => kernel.state,
    exits: () => kernel.takeExits(),
    clock: systemClock,
    deadlineMs: 60,
    prepareMs: 5000,
  });
}

/** As `holder`, with another release. */
function releasing(holder: Holder, release: (own: () => Promise<void>) => Promise<void>): Holder {
  return {
    ...holder,
    prepare: async (signal) => {
      const prepared = await holder.prepare(signal);
      return {
        ...prepared,
        take: async () => {
          const held = await prepared.take();
          return { ...held, release: () => release(() => held.release()) };
        },
      };
    },
  };
}

test('a scheduler is gone when the kernel says so, and not when its name went', async (t) => {
  const kernel = new SceneKernel();
  const seen: KernelState[] = [];
  const slow = releasing(kernel.holder('a'), async (own) => {
    const { ops: _, ...nameless } = kernel.state;
    kernel.state = { ...nameless, state: 'disabling' };
    void delay(20).then(async () => {
      kernel.state = { ...kernel.state, ops: 'a' };
      await own();
    });
  });
  const actuator = actuatorOf(kernel, { a: slow });
  await actuator.switchTo('a');
  await actuator.release();
  seen.push(kernel.state);
  t.is(seen[0]?.state, 'disabled');
});

test('what could not be let go is still held, said to be in effect, and let go by the next attempt', async (t) => {
  const kernel = new SceneKernel();
  let left = 2;
  const stuck = releasing(kernel.holder('a'), async (own) => {
    if (left-- > 0) throw new Error('the setting refused "10": EBUSY');
    await own();
  });
  const actuator = actuatorOf(kernel, { a: stuck });
  await actuator.switchTo('a');
  for (const _ of [1, 2])
    t.like(await actuator.switchTo(EEVDF), {
      outcome: 'refused',
      now: 'a',
      why: 'the setting refused "10": EBUSY',
    });
  t.is(actuator.held(), 'a');
  t.like(await actuator.switchTo(EEVDF), { outcome: 'active' });
  t.is(kernel.state.state, 'disabled');
});

test('a policy that does not take effect and cannot be let go either is not forgotten', async (t) => {
  const kernel = new SceneKernel();
  let left = 1;
  const stuck = releasing(
    {
      ...kernel.holder('a'),
      prepare: async (signal) => {
        const prepared = await kernel.holder('a').prepare(signal);
        return { ...prepared, take: async () => ({ ...(await prepared.take()), ops: 'another' }) };
      },
    },
    async (own) => {
      if (left-- > 0) throw new Error('no');
      await own();
    },
  );
  const actuator = actuatorOf(kernel, { a: stuck });
  t.like(await actuator.switchTo('a'), { outcome: 'refused', now: 'a' });
  t.like(await actuator.switchTo(EEVDF), { outcome: 'active' });
  t.is(kernel.state.state, 'disabled');
});

test('to abandon passes a switch that is under way, wherever that is, and nobody is to blame', async (t) => {
  for (const stage of ['preparing', 'taking'] as const) {
    const kernel = new SceneKernel();
    const at = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const wait = async () => {
      at.resolve();
      await go.promise;
    };
    const b = kernel.holder('b');
    const slow: Holder = {
      ...b,
      prepare: async (signal) => {
        if (stage === 'preparing') await wait();
        const prepared = await b.prepare(signal);
        return {
          ...prepared,
          take: async () => {
            if (stage === 'taking') await wait();
            return prepared.take();
          },
        };
      },
    };
    const actuator = actuatorOf(kernel, { a: kernel.holder('a'), slow });
    await actuator.switchTo('a');
    const report = actuator.switchTo('slow');
    await at.promise;
    await actuator.abandon('the kill switch was latched');
    t.is(kernel.state.state, 'disabled', `${stage}: at once, while the switch is still under way`);
    t.is(await actuator.departure(), undefined, 'what was let go on purpose is no departure');
    go.resolve();
    t.like(await report, { outcome: 'refused', blamed: false });
    t.like(await actuator.switchTo(EEVDF), { outcome: 'active' });
    t.is(kernel.state.state, 'disabled');
    t.like(await actuator.switchTo('a'), { outcome: 'active' }, 'it works as before');
  }
});

test('what the guardian dropped is a departure, in its words', async (t) => {
  const kernel = new SceneKernel();
  const actuator = actuatorOf(kernel, { a: kernel.holder('a') });
  actuator.dropped('nothing was held');
  t.is(await actuator.departure(), undefined);
  await actuator.switchTo('a');
  kernel.disable();
  actuator.dropped('its beats ended');
  t.deepEqual(await actuator.departure(), { policy: 'a', how: 'dropped', why: 'its beats ended' });
  t.is(await actuator.departure().then((again) => again?.how), 'ejected', 'until it is let go');
  await actuator.switchTo(EEVDF);
  t.is(await actuator.departure(), undefined);
});
