// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { halfBusy } from '../../analysis/features/sample-counted.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { tunedPath } from '../tune/queue.ts';
import type { TuneParts } from '../tune/tune-window.ts';
import type { CommandContext } from './context.ts';
import { tuneCommand } from './tune.ts';

const MACHINE = {
  engine: 'exact',
  kernel: '7.3.4',
  nodes: 1,
  sockets: 1,
  cores: 4,
  threads: 1,
  cpu: '250 MIPS',
};

function line(at: string): string {
  const { sets, durationNs } = halfBusy();
  const counters = Object.fromEntries(
    Object.entries(sets).map(([set, values]) => [set, { ns: durationNs, missed: 0, counters: values }]),
  );
  return `${JSON.stringify({ v: 1, at, machine: MACHINE, window: { ms: durationNs / 1e6, counters } })}\n`;
}

function scene(t: ExecutionContext, cosine = 0.97) {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-tune-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const queue = join(folder, 'queue.jsonl');
  const lines: string[] = [];
  const context = {
    write: (text: string) => void lines.push(text),
    warn: (text: string) => void lines.push(text),
    signal: new AbortController().signal,
  } as unknown as CommandContext;
  let tuned = 0;
  const parts: TuneParts & { incomplete: () => boolean } = {
    incomplete: () => false,
    fromTrace: () => Promise.reject(new Error('no trace here')),
    synthesise: async () => {
      tuned++;
      return { likeness: { workload: 'synth', params: {}, variant: 'profile=p', cosine }, tries: 9 };
    },
    evaluate: async () => ({ run: 'tune-1', cosines: [0.96] }),
    ask: async () => ({ recommend: 'pmvx_chain', why: 'expected to cost -20 %' }),
    now: () => new Date(0),
  };
  const tune = () => tuneCommand({ queue, map: join(folder, 'map.db') }, context, async () => parts);
  return { queue, lines, tune, tuned: () => tuned };
}

test('each window of a queue is tuned once, and what came of it is kept beside the queue', async (t) => {
  const { queue, lines, tune, tuned } = scene(t);
  writeFileSync(queue, `${line('2026-01-01T00:00:00Z')}no line\n`);
  t.is(await tune(), ExitCode.ok);
  t.is(tuned(), 1);
  const text = lines.join('\n');
  t.regex(text, /queue\.jsonl:2: not valid JSON/);
  t.regex(text, /synth profile=p looks like it: cosine 0\.970; under EEVDF in run tune-1: 0\.960/);
  t.regex(text, /the map says now: pmvx_chain/);
  t.like(JSON.parse(readFileSync(tunedPath(queue), 'utf8')), { v: 1, outcome: 'learnt', run: 'tune-1' });
  t.is(await tune(), ExitCode.ok);
  t.is(tuned(), 1, 'not again');
  t.regex(lines.at(-1) ?? '', /1 windows, all tuned before/);
  // The same regime, later: known by now.
  writeFileSync(queue, line('2026-01-01T00:00:00Z') + line('2026-01-02T00:00:00Z'));
  t.is(await tune(), ExitCode.ok);
  t.is(tuned(), 1);
  t.regex(lines.at(-1) ?? '', /it is as window [0-9a-f]{16}: cosine 1\.000/);
});

test('a window that nothing looks like is told, and ends with the exit code for it', async (t) => {
  const { queue, lines, tune } = scene(t, 0.9);
  writeFileSync(queue, line('2026-01-01T00:00:00Z'));
  t.is(await tune(), ExitCode.incomplete);
  t.regex(lines.at(-1) ?? '', /no load of 9 looks enough like it: the nearest has cosine 0\.900/);
});

test('a queue that is not there is one clear error', async (t) => {
  const { tune } = scene(t);
  const error = await t.throwsAsync(tune(), { instanceOf: PmvxError });
  t.regex(error?.message ?? '', /queue\.jsonl: the queue cannot be read: ENOENT/);
});
