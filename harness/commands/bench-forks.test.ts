// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { sampleCompleted } from '../store/sample-records.ts';
import { type ForkBench, formatForkBench, sameResults } from './bench-forks-report.ts';

const record = (trial: string, transcript: string, seconds = 1) =>
  sampleCompleted({ trial, transcript, host: { startedAt: '2026-01-01T00:00:00Z', seconds, attempt: 1 } });

test('a fork and a boot are the same when all but the host is equal, in whatever order they ended', (t) => {
  const forks = [record('0', 'a', 3), record('1', 'b')];
  t.is(sameResults(forks, [record('1', 'b', 20), record('0', 'a', 20)]), 2);
  t.is(sameResults(forks, [record('0', 'a'), record('1', 'c')]), 1);
  t.is(sameResults(forks, [record('0', 'a')]), 1);
});

test('the report gives both wall times, says what is only a part, and what did not complete', (t) => {
  const phase = (seconds: number, trials: number) => ({ seconds, trials, completed: trials });
  const bench: ForkBench = {
    v: 1,
    spec: 's',
    jobs: 2,
    processor: 'P',
    trials: 80,
    policies: 8,
    forks: phase(100, 80),
    boots: { ...phase(1000, 80), completed: 79 },
    own: phase(80, 8),
    same: 79,
  };
  const lines = formatForkBench(bench);
  t.is(lines[0], 's: 80 trials of 8 policies, 2 at once, P');
  t.regex(lines[1] ?? '', /forks +100\.0 s {2}80 trials, 1\.25 s each/);
  t.regex(lines[2] ?? '', /boots +1000\.0 s .*only 79 completed/);
  t.regex(lines[3] ?? '', /10\.0 times as long/);
  t.regex(lines.join('\n'), /own boots +80\.0 s {2}8 trials, 10\.00 s each/);
  t.regex(lines.join('\n'), /own boots are a part of the trials/);
  t.regex(lines.at(-1) ?? '', /^ {2}79 of 80 trials gave the same record/);
});
