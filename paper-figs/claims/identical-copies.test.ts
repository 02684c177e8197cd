// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { sampleRun } from '../../analysis/tables/sample-run.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import type { Finding, JudgedRun } from './finding.ts';
import { identicalCopies } from './identical-copies.ts';

const bare = sampleRun([{ workload: 'messages', ends: { eevdf: [1, 1], x: [1, 1] } }]);
const proven = {
  transcript: 'a',
  schedBefore: { state: 'enabled' },
  schedAfter: { state: 'enabled' },
} as const;

/** Two blocks of two policies, each record with what is proven, and then changed. */
function forked(change: (record: TrialRecord, at: number) => Partial<TrialRecord> = () => ({})): JudgedRun {
  const records = bare.records.map(
    (record, at) => ({ ...record, ...proven, ...change({ ...record, ...proven }, at) }) as TrialRecord,
  );
  return { ...bare, records };
}

function judged(forkedRun: JudgedRun, booted: JudgedRun = forkedRun): Finding {
  const none = { classes: new Map(), policies: new Map(), vectors: new Map(), situations: new Map() };
  const runs = new Map(Object.entries({ forked: forkedRun, booted }));
  return identicalCopies({ forked: 'forked', booted: 'booted' }, { runs, ...none });
}

/** Each for ten seconds, begun at these seconds. */
const beginning = (...seconds: number[]) =>
  forked(({ host }, at) => ({
    host: {
      ...host,
      seconds: 10,
      startedAt: new Date(Date.UTC(2026, 0, 1) + 1000 * (seconds[at] as number)).toISOString(),
    },
  }));

test('every number of a claim that holds is the count of what was seen', (t) => {
  t.deepEqual(judged(forked()).numbers, {
    trials: 4,
    paired: 4,
    equal: 4,
    blocks: 2,
    blocks_with_one_seed: 2,
    policies: 2,
    completed: 4,
    proven: 4,
    at_once: 4,
  });
  t.is(judged(forked()).because.length, 4);
});

test('machines are at once while they overlap: one that begins as another ends is not beside it', (t) => {
  t.is(judged(beginning(0, 10, 20, 30)).numbers.at_once, 1);
  t.is(judged(beginning(0, 9, 18, 27)).numbers.at_once, 2);
  t.is(judged(beginning(18, 0, 9, 8)).numbers.at_once, 3);
  const alone = judged(beginning(0, 10, 20, 30));
  t.is(alone.verdict, 'partly');
  t.is(alone.because.at(-1), '75.0 % of the conditions hold');
  t.is(judged(beginning(0, 9, 18, 27)).verdict, 'reproduced');
});

test('a twin that is missing, or ended otherwise, is no equal copy', (t) => {
  const all = forked();
  const short = judged(all, { ...all, records: all.records.slice(1) });
  t.like(short, { verdict: 'not reproduced', numbers: { trials: 4, paired: 3, equal: 3 } });
  const failed = forked((_, at) => (at === 0 ? ({ state: 'failed' } as Partial<TrialRecord>) : {}));
  t.like(judged(all, failed), { verdict: 'not reproduced', numbers: { paired: 4, equal: 3 } });
});

test('a block of two seeds, or a trial whose scheduler the kernel did not name, makes it hold in part', (t) => {
  const seeds = forked(({ seed }, at) => (at === 0 ? { seed: (seed + 50) as TrialRecord['seed'] } : {}));
  t.like(judged(seeds), { verdict: 'partly', numbers: { blocks: 2, blocks_with_one_seed: 1 } });
  for (const name of ['schedBefore', 'schedAfter'] as const) {
    const unnamed = forked((_, at) => (at === 0 ? ({ [name]: undefined } as Partial<TrialRecord>) : {}));
    t.like(judged(unnamed), { verdict: 'partly', numbers: { completed: 4, proven: 3 } });
  }
  const one = forked();
  const block = { ...one, records: one.records.filter(({ block }) => block === 0) };
  t.like(judged(block), { verdict: 'partly', numbers: { blocks: 1, blocks_with_one_seed: 1 } });
});
