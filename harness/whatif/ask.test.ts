// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Seed } from '../core/seed.ts';
import { askWhatIf } from './ask.ts';
import { formatAnswer } from './format-answer.ts';
import { QUESTION, type SceneOptions, sceneLab } from './scene.ts';

const STATES = [3, 4, 5].map((block) => ({ block, seed: (block * 10) as Seed }));
const never = new AbortController().signal;

function lab(t: ExecutionContext, options: SceneOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-whatif-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return sceneLab(folder, options);
}

const plain = (rows: readonly Readonly<Record<string, string>>[]) => rows.map((row) => JSON.stringify(row));

test('each policy has its future from the state, compared with the baseline', async (t) => {
  const answer = await askWhatIf(QUESTION, lab(t), never);
  const [state] = answer.states;
  t.is(state?.seed, 11 as Seed);
  t.is(state?.forkVirtualNs, 5_000_000);
  t.deepEqual(state?.snapshot, { key: 'snap-11', made: true, seconds: 12.5 });
  const [eevdf, simple] = state?.futures ?? [];
  t.is(eevdf?.ratio, 1);
  t.is(eevdf?.difference, 0);
  t.is(simple?.state, 'completed');
  t.true(Math.abs((simple?.value ?? 0) - 0.1011) < 1e-9);
  t.true(Math.abs((simple?.ratio ?? 0) - 0.5) < 1e-9);
  t.true(Math.abs((simple?.difference ?? 0) + 0.1011) < 1e-9);
  t.is(typeof simple?.voluntarySwitches, 'number');
  t.regex(simple?.transcript ?? '', /^[0-9a-f]{64}$/);
  t.is(answer.policies[1]?.ratio.kind, 'point');
  t.deepEqual(JSON.parse(JSON.stringify(answer)), answer, 'plain data');
});

test('the baseline is always among the policies', async (t) => {
  const answer = await askWhatIf({ ...QUESTION, policies: ['scx_simple'] }, lab(t), never);
  t.deepEqual(
    answer.policies.map(({ policy }) => policy),
    ['eevdf', 'scx_simple'],
  );
});

test('several states are paired: each future is compared with the baseline of its own state', async (t) => {
  const behaviour: SceneOptions['behaviour'] = ({ policy, seed }) => {
    const factor = policy.id === 'eevdf' ? 1 : 0.4 + seed / 500;
    return { kind: 'run', output: `Time: ${seed * factor}\n` };
  };
  const answer = await askWhatIf({ ...QUESTION, states: STATES }, lab(t, { behaviour, jobs: 3 }), never);
  t.deepEqual(
    answer.states.map(({ block, futures }) => [block, futures[1]?.ratio?.toFixed(3)]),
    [
      [3, '0.460'],
      [4, '0.480'],
      [5, '0.500'],
    ],
  );
  const simple = answer.policies[1];
  t.is(simple?.completed, 3);
  t.is(simple?.verdict, 'too few blocks', 'three states');
  t.is(simple?.ratio.kind, 'interval');
  t.true(Math.abs((simple?.meanDifference ?? 0) + (30 * 0.54 + 40 * 0.52 + 50 * 0.5) / 3) < 1e-9);
  t.is(answer.policies[0]?.verdict, undefined, 'a baseline is not judged against itself');
});

test('a policy that is refused has its reason and no figure; the others keep theirs', async (t) => {
  const behaviour: SceneOptions['behaviour'] = ({ policy }) =>
    policy.id === 'eevdf' ? { kind: 'run', output: 'Time: 1\n' } : { kind: 'refuse', reason: 'EACCES' };
  const answer = await askWhatIf(QUESTION, lab(t, { behaviour }), never);
  const [eevdf, simple] = answer.states[0]?.futures ?? [];
  t.is(eevdf?.value, 1);
  t.is(simple?.state, 'refused');
  t.regex(simple?.reason ?? '', /EACCES/);
  t.is(simple?.value, undefined);
  t.is(simple?.ratio, undefined);
  t.deepEqual(answer.policies[1]?.ratio, { kind: 'none', pairs: 0, why: 'no-pairs' });
  const text = formatAnswer(answer, plain).join('\n');
  t.true(text.includes('scx_simple, block 0 (seed 11): refused: '), text);
});

test('without a baseline that completed there is no ratio', async (t) => {
  const behaviour: SceneOptions['behaviour'] = ({ policy }) =>
    policy.id === 'eevdf' ? { kind: 'overrun' } : { kind: 'run', output: 'Time: 1\n' };
  const answer = await askWhatIf(QUESTION, lab(t, { behaviour }), never);
  t.is(answer.states[0]?.futures[1]?.value, 1);
  t.is(answer.states[0]?.futures[1]?.ratio, undefined);
  t.is(answer.states[0]?.futures[1]?.difference, undefined);
});

test('a question that is stopped throws the reason', async (t) => {
  const stop = new AbortController();
  const behaviour: SceneOptions['behaviour'] = () => {
    setTimeout(() => stop.abort(new Error('stopped by SIGINT')), 10);
    return { kind: 'hang' };
  };
  await t.throwsAsync(askWhatIf(QUESTION, lab(t, { behaviour }), stop.signal), {
    message: 'stopped by SIGINT',
  });
});
