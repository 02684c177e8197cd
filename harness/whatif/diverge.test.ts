// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findDivergence } from './diverge.ts';
import { formatDivergence } from './format-divergence.ts';
import { QUESTION, type SceneOptions, sceneLab } from './scene.ts';

const never = new AbortController().signal;
const COMMON = ['5000100 0 0 7 bench', '5000200 1 0 8 bench'];

function lab(t: ExecutionContext, options: SceneOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-diverge-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return sceneLab(folder, options);
}

const plain = (rows: readonly Readonly<Record<string, string>>[]) => rows.map((row) => JSON.stringify(row));

test('two policies part at their first other switch, counted from the fork point', async (t) => {
  const trace: SceneOptions['trace'] = ({ policy }) =>
    policy.id === 'eevdf' ? [...COMMON, '5000300 0 7 9 bench'] : [...COMMON, '5000250 1 8 0 swapper/1'];
  const divergence = await findDivergence(QUESTION, lab(t, { trace, jobs: 2 }), never);
  t.false(divergence.same);
  t.is(divergence.switches.common, 2);
  t.is(divergence.switches.first?.left?.virtualNs, 5_000_300);
  t.deepEqual(divergence.switches.first?.right?.to, { tid: 0, comm: 'idle' });
  t.false(divergence.transcripts.same);
  t.is(divergence.transcripts.commonFrames, 0, 'a mock guest has a clock of its own under each policy');
  const text = formatDivergence(divergence, plain).join('\n');
  t.true(
    text.includes('part 0.000250 ms after the fork point, 0.005000250 s after power-on, after 2 common'),
    text,
  );
  t.deepEqual(JSON.parse(JSON.stringify(divergence)), divergence, 'plain data');
});

test('two forks of one policy that are the same have no difference', async (t) => {
  const question = { ...QUESTION, policies: ['eevdf', 'eevdf'] };
  const divergence = await findDivergence(question, lab(t, { trace: () => COMMON }), never);
  t.true(divergence.same);
  t.true(divergence.transcripts.same);
  t.true(formatDivergence(divergence, plain).includes('no difference in 2 events'));
});

test('equal switches with other words of the guest are not the same', async (t) => {
  let run = 0;
  const behaviour: SceneOptions['behaviour'] = () => ({ kind: 'run', output: `Time: ${++run}\n` });
  const question = { ...QUESTION, policies: ['eevdf', 'eevdf'] };
  const divergence = await findDivergence(question, lab(t, { trace: () => COMMON, behaviour }), never);
  t.false(divergence.same);
  t.is(divergence.switches.first, undefined);
  t.is(divergence.transcripts.first?.left?.kind, 'output');
});

test('a fork without a trace is an error that names it', async (t) => {
  const trace: SceneOptions['trace'] = ({ policy }) => (policy.id === 'eevdf' ? COMMON : undefined);
  await t.throwsAsync(findDivergence(QUESTION, lab(t, { trace }), never), {
    message: /the fork of scx_simple left no trace of its context switches/,
  });
});
