// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import test from 'ava';
import { type PairedRatio, pairedRatio } from '../../../analysis/stats/paired-ratio.ts';
import { loadCatalog } from '../../core/load-catalog.ts';
import type { JournalLine } from '../../runtime/contracts.ts';
import { parseArms } from '../arms.ts';
import { readDayOutput } from '../day-output.ts';
import { foresee } from '../oracle.ts';
import { parseDay } from '../read-day.ts';
import { SAMPLE_DAY, sampleOutput, sampleRecord } from '../sample-day.ts';
import { overPhases, pointOf } from './compare-arms.ts';
import { daemonFacts, reactionsOf } from './daemon-facts.ts';
import { dayTimeline } from './day-timeline.ts';
import { type LivedArm, livedArms } from './lived-arms.ts';
import { replayMarkdown } from './replay-markdown.ts';
import { comparisonsCsv, replayResult } from './replay-tables.ts';
import { replayVerdicts } from './replay-verdicts.ts';

const catalog = await loadCatalog(resolve(import.meta.dirname, '../../..'));
const day = parseDay(SAMPLE_DAY, 'sample.yaml', catalog);
const arms = parseArms('eevdf,static:pmvx_chain,static:pmvx_latency,auto,oracle', catalog);

/** Chain halves the messages, latency quarters the wait of memcached; the daemon gets most of both. */
const records = [0, 1].flatMap((block) => {
  const scale = 1 + block / 10;
  const record = (policy: string, messages: number, compute: number, late: number, more: string[] = []) =>
    sampleRecord(policy, block, sampleOutput({ messages: messages * scale, compute, late }, more));
  return [
    record('eevdf', 0.2, 0.1, 400),
    record('pmvx_chain', 0.1, 0.1, 800),
    record('pmvx_latency', 0.3, 0.1, 100),
    record('auto', 0.11, 0.1, 110, helperLines()),
    record('oracle', 0.1, 0.1, 100),
  ];
});

function helperLines(): string[] {
  const line = (atMs: number, to: string, from: string) => ({
    kind: 'decision',
    monotonicNs: 1e9 + atMs * 1e6,
    window: { index: 0, ms: 50, health: { pressure: {} } },
    selection: { neighbours: [{ workload: 'hackbench', variant: '', distance: 0.1 }] },
    decidedMs: 2,
    from,
    to,
    answer: { from, to, gapNs: 3e6, preparedNs: 1e6, outcome: 'active', proof: '' },
  });
  const journal = [line(100, 'pmvx_chain', 'eevdf'), line(400, 'pmvx_latency', 'pmvx_chain')];
  return [
    'helper ready 5000000',
    'helper cost 1000000 1000 2000 begin',
    'helper cost 21000000 1000 40960 end',
    'helper ended 0 1000',
    ...journal.map((each) => `reported ${JSON.stringify(each)}`),
  ];
}

const lived = livedArms(day, arms, records, catalog);

test('costs of parts are ratios over EEVDF of the same block', (t) => {
  t.deepEqual(lived.lost, []);
  const near = (arm: string, phases: string[], ratio: number) =>
    t.true(Math.abs((pointOf(overPhases(lived, arm, 'eevdf', phases)) ?? 0) - ratio) < 1e-9, arm);
  near('pmvx_chain', ['messages'], 0.5);
  // Spinners as before, memcached twice as late.
  near('pmvx_chain', ['both'], Math.SQRT2);
  near('pmvx_latency', ['both'], 0.5);
  // Of two phases the mean: as long as both would take if they took equally long under EEVDF.
  near('pmvx_latency', ['messages', 'both'], (1.5 + 0.5) / 2);
});

test('foresight names the best of each phase, and where it must be asked for', (t) => {
  t.deepEqual(foresee(day, arms, records.slice(0, 5), catalog), {
    best: { messages: 'pmvx_chain', both: 'pmvx_latency' },
    switches: { messages: 'pmvx_chain', both: 'pmvx_latency' },
  });
});

test('reactions are told from the journal and the clock of the phases', (t) => {
  const auto = lived.days.find(({ arm, block }) => arm === 'auto' && block === 0) as LivedArm;
  const [messages, both] = reactionsOf(auto);
  t.like(messages, { from: 'eevdf', to: 'pmvx_chain', switches: 1, ms: 100 });
  t.like(both, { from: 'pmvx_chain', to: 'pmvx_latency', switches: 1 });
  t.true(Math.abs((both?.ms ?? 0) - 70) < 1e-6);
  t.like(daemonFacts(auto), { switches: 2, peakMiB: 40, gapMostMs: 3, decidedMedianMs: 2, startMs: 1 });
  t.true(Math.abs((daemonFacts(auto)?.cpuShare ?? 0) - 0.02 / 0.53) < 1e-9);
});

test('tables say what the daemon gained, and are the same bytes for the same records', (t) => {
  const result = replayResult(day, arms, lived, ['messages']);
  t.is(result.best, 'pmvx_chain');
  t.true(
    Math.abs(
      (pointOf(result.againstBest ?? { kind: 'none', pairs: 0, why: 'no-pairs' }) ?? 0) -
        (0.55 + Math.sqrt(110 / 400)) / (0.5 + Math.SQRT2),
    ) < 1e-9,
  );
  const csv = comparisonsCsv(result);
  t.true(csv.includes('auto,eevdf,messages,2,0.55,'));
  const markdown = replayMarkdown(day, arms, result);
  t.regex(markdown, /phases worse than EEVDF by over 2 % \| none/);
  t.is(
    replayMarkdown(day, arms, replayResult(day, arms, livedArms(day, arms, records, catalog), ['messages'])),
    markdown,
  );
});

test('the figure has the phases, what windows looked like, and the pace of each round', (t) => {
  const timeline = dayTimeline(day, lived, 0, catalog);
  t.deepEqual(
    timeline?.stretches.filter(({ band }) => band === 'policy').map(({ what, from }) => [what, from]),
    [
      ['eevdf', 0],
      ['pmvx_chain', 0.1],
      ['pmvx_latency', 0.4],
    ],
  );
  t.is(timeline?.paces.find(({ arm, phase }) => arm === 'auto' && phase === 'messages')?.speedup, 1.8182);
});

test('a day that was cut short, and a round that failed, are lost and not zero', (t) => {
  const whole = sampleOutput({ messages: 0.2, compute: 0.1, late: 400 });
  const cut = [
    sampleRecord('eevdf', 0, whole.slice(0, 200)),
    sampleRecord('auto', 0, whole.replace(/(round messages 0 1 \d+ \d+) 0/, '$1 139')),
    sampleRecord('oracle', 0, whole.replace('| latency_p99', '| nothing')),
  ];
  const { days, lost } = livedArms(day, arms, cut, catalog);
  t.deepEqual(days, []);
  t.deepEqual(
    lost.map(({ how }) => how.replace(/;.*/, '')),
    [
      'phase messages, round 1 of hackbench ended with exit status 139',
      'the day has no end: its output was cut short',
      'phase both, round 0 of memcached: metric latency_p99 is missing',
    ],
  );
});

test('a switch that the kernel refused is no change of policy', (t) => {
  const line = {
    kind: 'decision',
    monotonicNs: 1.1e9,
    to: 'eevdf',
    answer: {
      from: 'eevdf',
      to: 'pmvx_chain',
      gapNs: 0,
      preparedNs: 1,
      outcome: 'refused',
      why: '',
      now: 'eevdf',
    },
  } as unknown as JournalLine;
  const output = sampleOutput({ messages: 0.2, compute: 0.1, late: 1 }, [
    'helper ready 1',
    `reported ${JSON.stringify(line)}`,
  ]);
  const one = { arm: 'auto', block: 0, lived: readDayOutput(output), costs: new Map() };
  t.like(reactionsOf(one)[0], { from: 'eevdf', to: 'eevdf', switches: 0 });
});

test('comparisons are judged together, from five blocks on, and an arm that loses its days fails', (t) => {
  const around = (middle: number, n: number) =>
    pairedRatio(
      Array.from({ length: n }, (_, at) => ({
        value: middle * (1 + 0.01 * (((7 * at) % 5) - 2)),
        baseline: 1,
      })),
    );
  const compared = (arm: string, ratio: PairedRatio) => ({ arm, against: 'eevdf', scope: 'day', ratio });
  const comparisons = [
    compared('fast', around(0.5, 5)),
    compared('slow', around(2, 5)),
    compared('few', around(0.5, 4)),
    compared('lost', around(0.5, 5)),
  ];
  const lost = [1, 2].map((block) => ({ arm: 'lost', block, how: 'ejected' }));
  const verdicts = replayVerdicts(comparisons, { days: [], lost });
  t.deepEqual(
    comparisons.map(({ ratio }) => verdicts.get(ratio)),
    ['better', 'worse', 'too few blocks', 'fails'],
  );
});
