// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { EEVDF } from '../contracts.ts';
import { SceneKernel } from '../daemon/scene.ts';
import { systemClock } from '../sense/clock.ts';
import type { Holder } from './holder.ts';
import { KernelActuator } from './kernel-actuator.ts';

const FAST = { deadlineMs: 50, prepareMs: 60 };

function actuatorOf(kernel: SceneKernel, more: Readonly<Record<string, Holder>> = {}): KernelActuator {
  const holders = new Map([
    ...['a', 'b'].map((id) => [id, kernel.holder(id)] as const),
    ...Object.entries(more),
  ]);
  const readState = () => kernel.state;
  return new KernelActuator({
    holders,
    readState,
    exits: () => kernel.takeExits(),
    clock: systemClock,
    ...FAST,
  });
}

/** As `holder`, with something that happens while it is made ready. */
function slowHolder(
  holder: Holder,
  meanwhile: (signal: AbortSignal) => Promise<unknown> | undefined,
): Holder {
  return {
    ...holder,
    prepare: async (signal) => {
      await meanwhile(signal);
      return holder.prepare(signal);
    },
  };
}

const never = (signal: AbortSignal) => delay(60_000, undefined, { signal });

test('a policy takes effect, another takes its place, and EEVDF comes back', async (t) => {
  const kernel = new SceneKernel();
  const actuator = actuatorOf(kernel);
  t.like(await actuator.switchTo('a'), { from: EEVDF, to: 'a', outcome: 'active', gapNs: 0 });
  const direct = await actuator.switchTo('b');
  t.like(direct, { from: 'a', to: 'b', outcome: 'active' });
  t.true(direct.gapNs > 0);
  t.like(await actuator.switchTo(EEVDF), {
    from: 'b',
    outcome: 'active',
    gapNs: 0,
    proof: 'sched_ext disabled, enable_seq 2',
  });
  t.deepEqual(kernel.history, ['a', 'b']);
  t.is(actuator.held(), EEVDF);
});

test('while a new one is refused by the verifier the old one stays in effect', async (t) => {
  const kernel = new SceneKernel();
  const actuator = actuatorOf(kernel);
  await actuator.switchTo('a');
  kernel.refuses.add('b');
  const report = await actuator.switchTo('b');
  t.like(report, { outcome: 'refused', why: 'the verifier refuses b', now: 'a', blamed: true, gapNs: 0 });
  t.is(kernel.state.ops, 'a');
  t.is(kernel.state.enableSeq, 1, 'it was not even interrupted');
});

test('one that never comes to be enabled leaves EEVDF, and is to blame', async (t) => {
  const kernel = new SceneKernel();
  const lame: Holder = {
    kind: 'struct_ops',
    version: '1',
    prepare: async () => ({
      take: async () => ({
        ops: 'lame',
        ended: () => undefined,
        proof: () => '',
        release: async () => undefined,
      }),
      discard: async () => undefined,
    }),
  };
  const actuator = actuatorOf(kernel, { lame });
  await actuator.switchTo('a');
  const report = await actuator.switchTo('lame');
  t.like(report, { outcome: 'refused', now: EEVDF, blamed: true });
  t.regex(
    report.outcome === 'refused' ? report.why : '',
    /not enabled after 50 ms: the kernel says disabled/,
  );
  t.is(kernel.state.state, 'disabled');
});

test('one that claims another name is not believed', async (t) => {
  const kernel = new SceneKernel();
  const liar: Holder = {
    ...kernel.holder('b'),
    prepare: async (signal) => {
      const prepared = await kernel.holder('b').prepare(signal);
      return { ...prepared, take: async () => ({ ...(await prepared.take()), ops: 'a' }) };
    },
  };
  t.like(await actuatorOf(kernel, { liar }).switchTo('liar'), { outcome: 'refused', now: EEVDF });
});

test('one that takes too long to get ready is left, and the old one never noticed', async (t) => {
  const kernel = new SceneKernel();
  const actuator = actuatorOf(kernel, { slow: slowHolder(kernel.holder('slow'), never) });
  await actuator.switchTo('a');
  t.like(await actuator.switchTo('slow'), { outcome: 'refused', now: 'a', blamed: true });
  t.is(kernel.state.ops, 'a');
});

test('what is more urgent ends the preparation, and nobody is to blame', async (t) => {
  const kernel = new SceneKernel();
  const actuator = actuatorOf(kernel, { slow: slowHolder(kernel.holder('slow'), never) });
  await actuator.switchTo('a');
  const hurry = new AbortController();
  const report = actuator.switchTo('slow', hurry.signal);
  hurry.abort(new Error('the kill switch was latched'));
  t.like(await report, { outcome: 'refused', why: 'the kill switch was latched', now: 'a', blamed: false });
});

test('when the old one goes while the new one is made ready, that is told first', async (t) => {
  const kernel = new SceneKernel();
  const eject = slowHolder(kernel.holder('b'), async () => kernel.eject());
  const actuator = actuatorOf(kernel, { eject });
  await actuator.switchTo('a');
  t.like(await actuator.switchTo('eject'), { outcome: 'refused', why: 'a stalled meanwhile', blamed: false });
  t.like(await actuator.departure(), { policy: 'a', how: 'stalled' });
  t.like(await actuator.switchTo(EEVDF), { outcome: 'active' });
  t.deepEqual(kernel.history, ['a']);
});

test('when an administrator comes while a new one is made ready, it steps back', async (t) => {
  const kernel = new SceneKernel();
  const late = slowHolder(kernel.holder('b'), async () => kernel.enable('theirs'));
  const actuator = actuatorOf(kernel, { late });
  t.like(await actuator.switchTo('late'), { outcome: 'refused', now: EEVDF, blamed: false });
  t.is(await actuator.stranger(), 'theirs');
  t.is(kernel.state.ops, 'theirs');
});

test('how a policy went is told by the kernel log first', async (t) => {
  const told = async (reason: string, kind: number) => {
    const kernel = new SceneKernel();
    const actuator = actuatorOf(kernel);
    await actuator.switchTo('a');
    t.is(await actuator.departure(), undefined);
    kernel.eject(reason, kind);
    return (await actuator.departure())?.how;
  };
  t.is(await told('runnable task stall', 1026), 'stalled');
  t.is(await told('runtime error', 1024), 'ejected');
  t.is(await told('disabled by sysrq-S', 67), 'sysrq');
  t.is(await told('unregistered from user space', 64), 'replaced');
});
