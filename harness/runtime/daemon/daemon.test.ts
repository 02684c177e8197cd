// SPDX-License-Identifier: Apache-2.0
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { EEVDF, type JournalLine } from '../contracts.ts';
import { readJournal } from '../journal/read.ts';
import { openScene, type SceneWindow } from './scene.ts';

const wants = (policy: string, count: number, more: Partial<SceneWindow> = {}): SceneWindow[] =>
  Array.from({ length: count }, () => ({ wants: policy, ...more }));

const rules = (lines: readonly JournalLine[]) =>
  lines.flatMap((line) => (line.kind === 'decision' ? [line.rule] : []));

test('a policy that enough windows in a row name takes effect, proven by the kernel, and each decision is a line', async (t) => {
  const { live, stop, kernel, journal, folder } = openScene();
  await live([...wants('a', 2), ...wants(EEVDF, 1), ...wants('a', 3)]);
  t.is(kernel.state.ops, 'a');
  t.deepEqual(rules(journal.recent), [
    'hysteresis',
    'hysteresis',
    'agrees',
    'hysteresis',
    'hysteresis',
    'evidence',
  ]);
  const last = journal.recent.findLast((line) => line.kind === 'decision');
  t.like(last, { from: EEVDF, to: 'a', action: { kind: 'switch', to: 'a' }, dry: false });
  t.like(last?.answer, {
    outcome: 'active',
    proof: 'sched_ext enabled, ops a, enable_seq 1; held by the scene',
  });
  await stop();
  t.is(kernel.state.state, 'disabled', 'the end leaves EEVDF');
  const lines: JournalLine[] = [];
  for await (const line of readJournal(join(folder, 'journal.jsonl'))) lines.push(line);
  t.deepEqual(
    lines.map(({ seq }) => seq),
    lines.map((_, at) => at),
    'nothing is missing',
  );
  t.like(lines.at(-1), { kind: 'event', event: 'stopped' });
});

test('from one scheduler the machine goes directly to another, and the gap is reported', async (t) => {
  const { live, stop, kernel, journal } = openScene();
  await live([...wants('a', 3), ...wants('b', 9)]);
  t.deepEqual(kernel.history, ['a', 'b']);
  t.true(rules(journal.recent).includes('dwell'));
  const moved = journal.recent.findLast((line) => line.kind === 'decision' && line.action.kind === 'switch');
  t.like(moved, { from: 'a', to: 'b' });
  t.true(
    'answer' in (moved ?? {}) && typeof (moved as { answer?: { gapNs: number } }).answer?.gapNs === 'number',
  );
  await stop();
});

test('a scheduler that the kernel throws out is quarantined, and not tried again until that is over', async (t) => {
  const { live, stop, kernel, journal, daemon, clock } = openScene();
  await live([...wants('a', 3), ...wants('a', 1, { before: () => kernel.eject() }), ...wants('a', 20)]);
  t.deepEqual(kernel.history, ['a']);
  t.is(kernel.state.state, 'disabled');
  const [entry] = daemon.state.quarantine;
  t.like(entry, { policy: 'a', version: '1', kernel: '7.3', times: 1 });
  t.regex(entry?.why ?? '', /stalled: .*runnable task stall/);
  const departed = journal.recent.find((line) => line.kind === 'event' && line.event === 'departed');
  t.like(departed, { rule: 'departed', from: 'a', to: EEVDF });
  clock.ns += 300e9;
  await live(wants('a', 3));
  t.deepEqual(kernel.history, ['a', 'a']);
  await stop();
});

test('the kill switch leaves EEVDF, stays over a restart, and is opened by resume alone', async (t) => {
  const first = openScene();
  await first.live(wants('a', 3));
  await first.daemon.serial(() => first.daemon.kill('enough'));
  t.is(first.kernel.state.state, 'disabled');
  await first.live(wants('a', 10));
  t.deepEqual(first.kernel.history, ['a']);
  await first.stop();
  const { kernel, clock, folder } = first;
  const second = openScene({ kernel, clock, folder });
  await second.live(wants('a', 10));
  t.deepEqual(kernel.history, ['a']);
  t.is(second.daemon.state.killed, 'enough');
  await second.daemon.serial(() => second.daemon.resume());
  t.false(existsSync(join(folder, 'killed')));
  await second.live(wants('a', 3));
  t.deepEqual(kernel.history, ['a', 'a']);
  await second.stop();
});

test('a file latches, too', async (t) => {
  const { live, stop, kernel, folder } = openScene();
  await live(wants('a', 3));
  writeFileSync(join(folder, 'killed'), '');
  await live(wants('a', 5));
  t.is(kernel.state.state, 'disabled');
  await stop();
});

test('SysRq-S latches: the person at the keyboard wants no scheduler', async (t) => {
  const { live, stop, kernel, daemon, folder } = openScene();
  await live([
    ...wants('a', 3),
    ...wants('a', 10, {}),
    { wants: 'a', before: () => kernel.eject('disabled by sysrq-S', 67) },
  ]);
  await live(wants('a', 10));
  t.deepEqual(kernel.history, ['a']);
  t.regex(daemon.state.killed ?? '', /sysrq-S/);
  t.true(existsSync(join(folder, 'killed')));
  t.deepEqual(daemon.state.quarantine, [], 'it is not the fault of the policy');
  await stop();
});

test("an administrator's scheduler is left alone until it is gone", async (t) => {
  const { live, stop, kernel, daemon, journal } = openScene();
  await live([...wants('a', 1, { before: () => kernel.enable('theirs') }), ...wants('a', 10)]);
  t.deepEqual(kernel.history, ['theirs']);
  t.is(daemon.state.aside, 'theirs');
  await live([...wants('a', 1, { before: () => kernel.disable() }), ...wants('a', 10)]);
  t.deepEqual(kernel.history, ['theirs'], 'who took it away is given time');
  await live(wants('a', 40));
  t.deepEqual(kernel.history, ['theirs', 'a']);
  const events = journal.recent.flatMap((line) => (line.kind === 'event' ? [line.event] : []));
  t.deepEqual(events, ['stepped-aside', 'back']);
  await stop();
});

test('harm puts EEVDF back at once, whatever the dwell, and the policy into quarantine', async (t) => {
  const { live, stop, kernel, daemon, journal } = openScene();
  await live([...wants('a', 3), ...wants('a', 4, { health: { progress: 500 } })]);
  t.is(kernel.state.state, 'disabled');
  t.is(rules(journal.recent).at(-1), 'harm');
  t.regex(daemon.state.quarantine[0]?.why ?? '', /progress fell to 50 %/);
  await stop();
});

test('a dry run decides as if, and touches nothing', async (t) => {
  const { live, stop, kernel, journal } = openScene({ dry: true });
  await live(wants('a', 3));
  t.like(
    journal.recent.findLast((line) => line.kind === 'decision'),
    { dry: true, rule: 'evidence' },
  );
  t.deepEqual(kernel.history, []);
  await stop();
});
