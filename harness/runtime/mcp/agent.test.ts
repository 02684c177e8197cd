// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { connectControl } from '../daemon/control-client.ts';
import { openAgent } from './client-scene.ts';
import { openWebTier, REGIME, SCHEDULERS } from './scene.ts';

interface Observed {
  readonly source: string;
  readonly policy: string;
  readonly window: { readonly health: { readonly waitP99Us: number } };
  readonly regime: { readonly known: boolean; readonly nearest: readonly { readonly workload: string }[] };
  readonly kernel: { readonly state: string; readonly ops?: string; readonly enableSeq: number };
}
interface Recommended {
  readonly recommend: string;
  readonly abstained: boolean;
  readonly interval: { readonly low: number; readonly high: number };
}

/**
 * The web tier got slow: an agent without a person looks, asks, checks the evidence, proposes, applies, and does not believe it before
 * it has seen it. Everything that it acts on comes from answers.
 */
test('an agent goes from "the web tier got slow" to a policy that is applied and verified, and back', async (t) => {
  const tier = await openWebTier();
  t.teardown(() => tier.stop());
  const agent = await openAgent([
    '--map',
    tier.map,
    '--config',
    tier.config,
    '--socket',
    tier.socket,
    '--journal',
    tier.journal,
    '--allow-apply',
  ]);
  t.teardown(() => agent.close());

  const before = await agent.ask<Observed>('observe');
  t.is(before.source, 'daemon');
  t.is(before.policy, 'eevdf');
  const slow = before.window.health.waitP99Us;
  t.true(slow > 10_000, 'it is slow');
  const [nearest] = before.regime.nearest;
  t.is(nearest?.workload, REGIME);
  t.true(before.regime.known);

  const advice = await agent.ask<Recommended>('recommend', { objective: 'primary' });
  t.false(advice.abstained);
  t.true(advice.interval.high < 1, 'even the upper end of the interval is better than EEVDF');
  t.true(SCHEDULERS.includes(advice.recommend));

  const { outcomes, total } = await agent.ask<{
    outcomes: { state: string; ratios: { primary?: number } }[];
    total: number;
  }>('evidence', {
    policy: advice.recommend,
    workload: nearest?.workload,
  });
  t.true(total > 0 && outcomes.every(({ state }) => state === 'completed'));
  t.true(
    outcomes.some(({ ratios }) => (ratios.primary ?? 1) < 1),
    'a trial shows it',
  );

  const reason = `waiting for a CPU up to ${slow} us; the map expects at most ${advice.interval.high.toFixed(2)} of EEVDF's cost`;
  const proposal = await agent.ask<{ id: string; allowed: boolean; because: string }>('propose', {
    policy: advice.recommend,
    reason,
  });
  t.true(proposal.allowed, proposal.because);

  const applied = await agent.ask<{ done: boolean; to: string; proof: string; seq: number }>('apply', {
    id: proposal.id,
  });
  t.like(applied, { done: true, to: advice.recommend });
  t.regex(applied.proof, new RegExp(`ops ${advice.recommend}`));

  // Verified: what is in effect is asked of the kernel, and the slowness is measured again in windows after the switch.
  const after = await waitFor(async () => {
    const seen = await agent.ask<Observed>('observe');
    return seen.window.health.waitP99Us < slow ? seen : undefined;
  });
  t.is(after.policy, advice.recommend);
  t.like(after.kernel, { state: 'enabled', ops: advice.recommend });

  t.regex(await agent.words('explain', { seq: applied.seq }), new RegExp(advice.recommend));
  const { contents } = await agent.client.readResource({ uri: 'pmvx://journal' });
  t.true(String((contents[0] as { text?: string }).text).includes(reason), 'the reason is in the journal');

  t.like(await agent.ask('rollback', { why: 'the test is over' }), { done: true, to: 'eevdf' });
  t.like(await agent.ask<Observed>('observe'), { policy: 'eevdf', kernel: { state: 'disabled' } });
});

test('a proposal is applied once, in time, and by its id alone', async (t) => {
  const tier = await openWebTier();
  t.teardown(() => tier.stop());
  const agent = await openAgent([
    '--map',
    tier.map,
    '--config',
    tier.config,
    '--socket',
    tier.socket,
    '--allow-apply',
  ]);
  t.teardown(() => agent.close());
  t.like(await agent.fails('apply', { id: 'nosuch' }), { code: 'no-such-proposal', next: 'Call propose' });
  const unknown = await agent.fails('propose', { policy: 'scx_rustlnd', reason: 'a typing error' });
  t.is(unknown.code, 'unknown-policy');
  t.regex(unknown.next ?? '', /scx_rustland/);
  const late = await agent.ask<{ id: string }>('propose', {
    policy: 'scx_cosmos',
    reason: 'too late',
    expiresMs: 1,
  });
  // A window passes, and with it a second of the scene's clock.
  const { at } = await agent.ask<{ at: string }>('observe');
  await waitFor(async () => ((await agent.ask<{ at: string }>('observe')).at > at ? true : undefined));
  t.is((await agent.fails('apply', { id: late.id })).code, 'expired');
  const { id } = await agent.ask<{ id: string }>('propose', {
    policy: 'scx_cosmos',
    reason: 'in time',
    expiresMs: 3_600_000,
  });
  await agent.ask('apply', { id });
  t.is((await agent.fails('apply', { id })).code, 'no-such-proposal');
  const person = await connectControl(tier.socket);
  t.teardown(() => person.close());
  t.is((await person.call('status', {})).kernel.ops, 'scx_cosmos');
  // The kill switch stands above every agent.
  t.is((await person.call('stop', { why: 'a person' })).kernel.state, 'disabled');
  const again = await agent.ask<{ id: string; allowed: boolean; rule: string }>('propose', {
    policy: 'scx_cosmos',
    reason: 'once more',
  });
  t.like(again, { allowed: false, rule: 'killed' });
  t.is((await agent.fails('apply', { id: again.id })).code, 'killed');
  t.is((await person.call('status', {})).kernel.state, 'disabled');
});

test('without --allow-apply nothing acts, and a person is told what was proposed', async (t) => {
  const tier = await openWebTier();
  t.teardown(() => tier.stop());
  const agent = await openAgent(['--map', tier.map, '--config', tier.config, '--socket', tier.socket]);
  t.teardown(() => agent.close());
  const proposal = await agent.ask<{ id: string; canApply: boolean }>('propose', {
    policy: 'scx_rustland',
    reason: 'it is slow',
  });
  t.false(proposal.canApply);
  for (const [name, given] of [
    ['apply', { id: proposal.id }],
    ['rollback', { why: 'no' }],
  ] as const) {
    const failure = await agent.fails(name, given);
    t.is(failure.code, 'read-only');
    t.regex(failure.next ?? '', /--allow-apply/);
  }
  t.is((await agent.ask<Observed>('observe')).kernel.enableSeq, 0);
});

/** The first answer that there is, within ten minutes. */
async function waitFor<T>(look: () => Promise<T | undefined>): Promise<T> {
  const until = Date.now() + 600_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > until) throw new Error('it did not come to be');
    await new Promise((done) => setTimeout(done, 50));
  }
}
