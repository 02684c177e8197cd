// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import { LiveLine } from './live-line.ts';
import { type Paint, Progress } from './progress.ts';
import { plannedTrials } from './scene.ts';
import { formatDuration, timeLeft } from './time-left.ts';

const plain: Paint = (_tone, text) => text;

function recordOf(planned: PlannedTrial, more: Partial<TrialRecord>, seconds: number): TrialRecord {
  const host = { startedAt: '', seconds, attempt: 1 };
  const metrics = [{ name: 'time', unit: 's', direction: 'lower', primary: true, value: 0.13612 }];
  return {
    v: 1,
    run: 'r',
    engine: 'mock',
    state: 'completed',
    metrics,
    ...planned,
    ...more,
    host,
  } as TrialRecord;
}

test('a recorded trial is one line: place, block, policy, workload, outcome, time', (t) => {
  const trials = plannedTrials(12);
  const progress = new Progress(trials, 2, plain);
  const [first, second] = trials as [PlannedTrial, PlannedTrial];
  progress.note({ kind: 'begun', total: 12, recorded: [] }, 0);
  t.is(progress.note({ kind: 'started', planned: first, attempt: 1 }, 0), undefined);
  t.is(
    progress.note({ kind: 'recorded', planned: first, record: recordOf(first, {}, 14) }, 14),
    '[ 1/12]  block 0  eevdf       hackbench  completed  time 0.1361 s  (14 s)',
  );
  const failed = recordOf(second, { state: 'failed', reason: 'exit status 1' }, 3);
  t.is(
    progress.note({ kind: 'recorded', planned: second, record: failed }, 17),
    '[ 2/12]  block 0  scx_simple  hackbench  failed: exit status 1  (3 s)',
  );
});

test('lines name the point where policies take over in runs', (t) => {
  const trials = plannedTrials(2).map((trial) => ({ ...trial, point: '2s' }) as const);
  const progress = new Progress(trials, 1, plain);
  const first = trials[0] as PlannedTrial;
  const line = progress.note({ kind: 'recorded', planned: first, record: recordOf(first, {}, 14) }, 14);
  t.is(line, '[1/2]  block 0  eevdf       hackbench at 2s  completed  time 0.1361 s  (14 s)');
});

test('the status names what runs and estimates the rest from medians', (t) => {
  const trials = plannedTrials(6);
  const progress = new Progress(trials, 2, plain);
  const [first, second] = trials as [PlannedTrial, PlannedTrial];
  progress.note({ kind: 'begun', total: 6, recorded: [] }, 0);
  t.is(progress.status(0), '[0/6]  running: none');
  progress.note({ kind: 'started', planned: first, attempt: 1 }, 0);
  progress.note({ kind: 'recorded', planned: first, record: recordOf(first, {}, 20) }, 20);
  progress.note({ kind: 'started', planned: second, attempt: 1 }, 20);
  // Five are open, one of them half done: 4 x 20 s + 10 s, shared by two jobs.
  t.is(progress.status(30), '[1/6]  about 45 s left  running: scx_simple hackbench 10 s');
});

test('what an earlier call recorded counts for place and estimate', (t) => {
  const trials = plannedTrials(4);
  const progress = new Progress(trials, 1, plain);
  const recorded = trials.slice(0, 2).map((planned) => recordOf(planned, {}, 30));
  t.is(progress.note({ kind: 'begun', total: 4, recorded }, 0), '2 of 4 trials are recorded already');
  t.is(progress.secondsLeft(0), 60);
});

test('time left: unknown at first, per workload, never below the longest trial', (t) => {
  t.is(timeLeft([], [{ key: 'a', spent: 0 }], 1), undefined);
  const ended = [
    { key: 'a', seconds: 10 },
    { key: 'a', seconds: 14 },
    { key: 'b', seconds: 100 },
  ];
  t.is(timeLeft(ended, [{ key: 'a', spent: 2 }], 4), 10);
  t.is(
    timeLeft(
      ended,
      [
        { key: 'a', spent: 0 },
        { key: 'b', spent: 0 },
      ],
      2,
    ),
    100,
  );
  t.is(timeLeft(ended, [{ key: 'unseen', spent: 0 }], 1), 14);
  t.is(timeLeft(ended, [{ key: 'a', spent: 50 }], 1), 0);
  t.is(timeLeft(ended, [], 1), 0);
});

test('durations are as exact as an estimate deserves', (t) => {
  t.deepEqual([4.4, 89, 120, 3600, 11100].map(formatDuration), [
    '4 s',
    '89 s',
    '2 min',
    '60 min',
    '3 h 05 min',
  ]);
});

test('the live line stays below printed lines and never wraps', (t) => {
  let written = '';
  const line = new LiveLine({ write: (text) => (written += text), columns: 20 });
  line.status('\x1b[32mstatus of a long run that goes on\x1b[39m');
  t.is(written, '\r\x1b[2Kstatus of a long...');
  written = '';
  line.print('done');
  t.is(written, '\r\x1b[2Kdone\nstatus of a long...');
  written = '';
  line.end();
  line.print('last');
  t.is(written, '\r\x1b[2Klast\n');
});

test('what a guest said is printed with its controls escaped', (t) => {
  const planned: PlannedTrial = sampleHostile();
  const progress = new Progress([planned], 1, (_, text) => text);
  const reason = 'no \u001b[2J\u001b]0;own\u0007 \u202eabc';
  const record = { ...planned, state: 'refused', reason, host: { seconds: 1 } };
  const line = progress.note({ kind: 'recorded', planned, record } as never, 1) ?? '';
  t.notRegex(line, /[\p{Cc}\p{Cf}]/u);
  t.true(line.includes('no \\u001b[2J'));
});

function sampleHostile() {
  return {
    trial: '0001',
    block: 0,
    seed: 1,
    workload: 'hackbench',
    variant: '',
    point: 'quiescent',
    policy: 'scx_simple',
    role: 'measure',
  } as never;
}
