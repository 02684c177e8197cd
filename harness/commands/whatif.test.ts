// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { loadCatalog } from '../core/load-catalog.ts';
import type { SceneOptions } from '../whatif/scene.ts';
import { sceneFork } from '../whatif/scene.ts';
import type { CommandContext } from './context.ts';
import { divergeCommand } from './diverge.ts';
import type { ForkOptions } from './fork-lab.ts';
import { whatIfCommand } from './whatif.ts';

const ROOT = resolve(import.meta.dirname, '../..');
// Its own engine and baseline: a question is on exact whatever the spec says, and has the baseline among its policies.
const SPEC = `name: small
image: quick
policies: [eevdf, scx_simple]
workloads: [{ use: hackbench, with: { groups: 1, loops: 20 } }]
machine: { engine: kvm }
seeds: { base: 3, count: 2 }
`;

function scene(t: ExecutionContext, options: SceneOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-ask-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const spec = join(folder, 'small.yaml');
  writeFileSync(spec, SPEC);
  const [lines, warnings]: [string[], string[]] = [[], []];
  const context: CommandContext = {
    root: ROOT,
    write: (line) => void lines.push(line),
    warn: (line) => void warnings.push(line),
    catalog: () => loadCatalog(ROOT),
    signal: new AbortController().signal,
    isTTY: false,
    env: {},
  };
  const call =
    (command: typeof whatIfCommand) =>
    (given: Omit<ForkOptions, 'spec'> = {}) =>
      command({ spec, jobs: 1, ...given }, context, async (question) => {
        t.is(question.machine.engine, 'exact');
        return sceneFork(options);
      });
  return { folder, lines, warnings, whatif: call(whatIfCommand), diverge: call(divergeCommand) };
}

test('whatif prints a line for each policy, says what is exact, and keeps nothing', async (t) => {
  const { whatif, lines } = scene(t);
  t.is(await whatif({ policies: 'scx_simple' }), ExitCode.ok);
  const text = lines.join('\n');
  t.true(text.includes('at quiescent, block 0 (seed '), text);
  t.regex(text, /^ {2}eevdf +\S+ +1 +- .* completed/m);
  t.regex(text, /^ {2}scx_simple +\S+ +0\.500 +-\S+ .* completed/m);
  t.regex(text, /^\* snapshot snap-\d+ was made in 12\.5 s, 0\.005000 s of virtual time after power-on$/m);
  t.regex(text, /^\* exact: all forks share every bit/m);
});

test('whatif --json prints the answer and nothing else on stdout', async (t) => {
  const { whatif, lines } = scene(t);
  t.is(await whatif({ json: true, blocks: 2 }), ExitCode.ok);
  t.is(lines.length, 1);
  const answer = JSON.parse(lines[0] ?? '');
  t.is(answer.v, 1);
  t.deepEqual(
    answer.states.map((state: { block: number }) => state.block),
    [0, 1],
  );
  t.is(answer.policies[1].ratio.kind, 'interval');
});

test('several states are shown with intervals', async (t) => {
  const { whatif, lines } = scene(t);
  await whatif({ blocks: 3 });
  const text = lines.join('\n');
  t.regex(text, /at quiescent, 3 states, /);
  t.regex(text, /^ {2}policy +median +ratio +95 % interval +verdict/m);
  t.regex(text, /^ {2}scx_simple .* 3 of 3 /m);
});

test('--out keeps consoles, records and the answer, and never writes over what is there', async (t) => {
  const { whatif, folder } = scene(t);
  const out = join(folder, 'kept');
  await whatif({ out });
  t.deepEqual(readdirSync(out).sort(), ['answer.json', 'consoles', 'trials.jsonl']);
  t.is(readFileSync(join(out, 'trials.jsonl'), 'utf8').trim().split('\n').length, 2);
  t.is(JSON.parse(readFileSync(join(out, 'answer.json'), 'utf8')).v, 1);
  await t.throwsAsync(whatif({ out }), {
    instanceOf: PmvxError,
    message: /the folder holds 3 files already/,
  });
});

test('a future that crashed is no success', async (t) => {
  const { whatif, lines } = scene(t, { behaviour: () => ({ kind: 'error', reason: 'broken' }) });
  t.is(await whatif(), ExitCode.incomplete);
  t.true(lines.join('\n').includes('crashed: guest agent: broken'));
});

test('diverge says where two policies part', async (t) => {
  const { diverge, lines } = scene(t, {
    trace: ({ policy }) => [
      '5000100 0 0 7 a',
      policy.id === 'eevdf' ? '5000300 0 7 9 b' : '5000300 0 7 0 swapper/0',
    ],
  });
  t.is(await diverge(), ExitCode.ok);
  const text = lines.join('\n');
  t.true(text.includes('eevdf and scx_simple part 0.000300 ms after the fork point'), text);
  t.regex(text, /^ {2}eevdf +\+0\.000300 ms +0 +a 7 +b 9$/m);
  t.regex(text, /^ {2}scx_simple +\+0\.000300 ms +0 +a 7 +idle$/m);
});

test('two forks of one policy are the same, and when they are not the lab is not trusted', async (t) => {
  const same = scene(t, { trace: () => ['5000100 0 0 7 a'] });
  t.is(await same.diverge({ policies: 'eevdf,eevdf' }), ExitCode.ok);
  t.true(same.lines.includes('no difference in 1 events'));
  const broken = scene(t, { trace: (_orders, index) => [`${5_000_100 + index} 0 0 7 a`] });
  const error = await t.throwsAsync(broken.diverge({ policies: 'eevdf,eevdf' }), { instanceOf: PmvxError });
  t.is((error as PmvxError).code, ExitCode.image);
  t.regex(error?.message ?? '', /two forks of eevdf from one state differ/);
  t.true(
    broken.lines.join('\n').includes('part 0.000100 ms after the fork point'),
    'the difference is shown all the same',
  );
});

test('diverge takes two policies', async (t) => {
  const { diverge } = scene(t);
  await t.throwsAsync(diverge({ policies: 'eevdf' }), { message: /between two policies, got 1: eevdf/ });
});
