// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { Draw } from '../draw.ts';
import { DISTURBANCES } from './disturbances.ts';
import { GUESTS } from './guests.ts';
import { differences, drawTrial, type Lived, type StormPlan, storm, type Trial } from './storm.ts';
import { stormCsv, stormTable } from './table.ts';

const QUIET: Lived = { ended: 'done', hash: 'h', transcript: 't', result: 'r', events: 0 };

function plan(more: Partial<StormPlan>): StormPlan {
  return {
    seed: 3,
    trials: 40,
    forMs: Number.POSITIVE_INFINITY,
    jobs: 2,
    guests: GUESTS,
    kinds: DISTURBANCES,
    signal: new AbortController().signal,
    run: () => Promise.resolve(QUIET),
    tell: () => undefined,
    ...more,
  };
}

test('there are at least twelve guests and twelve kinds of disturbance, each with a name of its own', (t) => {
  for (const list of [GUESTS, DISTURBANCES]) {
    t.true(list.length >= 12);
    t.is(new Set(list.map(({ name }) => name)).size, list.length);
  }
});

test('what is drawn follows from the seed, and every kind has its turn', (t) => {
  const drawn = (seed: number) =>
    DISTURBANCES.map((_, index) => drawTrial({ seed, guests: GUESTS, kinds: DISTURBANCES }, index));
  t.deepEqual(drawn(1), drawn(1));
  t.notDeepEqual(drawn(1), drawn(2));
  t.deepEqual(
    drawn(1).map(({ kind }) => kind.name),
    DISTURBANCES.map(({ name }) => name),
  );
});

test('each machine is compared with one undisturbed fork of its guest, made once', async (t) => {
  const calls: (readonly [Trial, Draw | undefined])[] = [];
  const run = (trial: Trial, draw?: Draw) => {
    calls.push([trial, draw]);
    return Promise.resolve(QUIET);
  };
  const rows = await storm(plan({ run }));
  t.is(rows.length, 40);
  const quiet = calls.filter(([, draw]) => draw === undefined).map(([trial]) => trial);
  const keys = quiet.map(({ guest, vcpus, policy }) => `${guest.name} ${vcpus} ${policy}`);
  t.is(new Set(keys).size, keys.length);
  t.true(quiet.every(({ from }) => from === 'fork'));
  t.is(calls.length - quiet.length, 40);
});

test('one byte more, one block less, another time or another end is a difference, and is told of', async (t) => {
  for (const part of ['ended', 'hash', 'transcript', 'result'] as const) {
    t.deepEqual(differences({ ...QUIET, [part]: 'x' }, QUIET), [part]);
  }
  t.deepEqual(differences(QUIET, QUIET), []);
  const died = { ...QUIET, ended: 'died' };
  t.deepEqual(differences(died, died), ['ended'], 'two that died prove nothing');
  const run = (trial: Trial, draw?: Draw) =>
    Promise.resolve(draw !== undefined && trial.index === 7 ? { ...QUIET, hash: 'other' } : QUIET);
  const rows = await storm(plan({ run }));
  t.deepEqual(
    rows.filter(({ differs }) => differs.length > 0).map(({ trial, differs }) => [trial.index, differs]),
    [[7, ['hash']]],
  );
  const lines = stormTable(rows, { command: 'c', date: '2026-01-01', kinds: DISTURBANCES });
  t.true(
    lines.some((line) => /^\| all \| {2}\| 40 \| \d+ \| 0 \| 1 \|$/.test(line)),
    lines.join('\n'),
  );
  const csv = stormCsv(rows).split('\n');
  t.is(csv.length, 42);
  t.regex(csv[8] ?? '', /^7,.*,hash,/);
});

test('a storm that is called off begins nothing more and rejects with the reason', async (t) => {
  const caller = new AbortController();
  let begun = 0;
  const run = (_: Trial, draw?: Draw) => {
    if (draw !== undefined && ++begun === 3) caller.abort(new Error('called off'));
    return Promise.resolve(QUIET);
  };
  await t.throwsAsync(storm(plan({ run, jobs: 1, signal: caller.signal })), { message: 'called off' });
  t.is(begun, 3);
});
