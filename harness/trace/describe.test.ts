// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { describeTrace } from './describe.ts';
import type { Operation, Trace } from './trace.ts';

const times = (count: number, operation: Operation): Operation[] => Array(count).fill(operation);

const TRACE: Trace = {
  origin: {
    ...{ kernel: '7.3.4', cpus: 4, command: ['/opt/two'], engine: 'exact', image: 'quick-1' },
    ...{ workload: 'two', variant: 'loops=3', policy: 'eevdf', seed: 7 },
  },
  figures: {
    ...{ durationNs: 2e9, switches: 400, preemptions: 30, interruptions: 4, runNs: 3e9, runnableNs: 5e8 },
    lost: 0,
  },
  tasks: [
    {
      name: 'first',
      operations: [
        { do: 'run', ns: 1e9 },
        { do: 'start', task: 1 },
        ...times(3, { do: 'wake', task: 1 }),
        ...times(2, { do: 'sleep', ns: 5 }),
        { do: 'period', ns: 5 },
        { do: 'waitEnd', task: 1 },
      ],
    },
    {
      name: 'second\u001b[31m',
      operations: [{ do: 'run', ns: 2e9 }, ...times(3, { do: 'wait', task: 0 })],
    },
  ],
};

/** Rows as `key=value` words: what is in the cells, not how they are aligned. */
const words = (rows: readonly Readonly<Record<string, string>>[]) =>
  rows.map((row) =>
    Object.entries(row)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  );
const describe = (trace: Trace) => describeTrace(trace, words);

test('a trace says where it comes from, what happened a second, who woke whom and who computed', (t) => {
  t.deepEqual(describe(TRACE), [
    'two loops=3 under eevdf, seed 7',
    'recorded on exact, image quick-1: kernel 7.3.4, 4 CPUs',
    '2 tasks, 2.000 s',
    '200 switches/s; after 7.5 % of them the task could have gone on',
    '1.50 CPUs used, 0.25 tasks waiting for one, on average',
    '',
    'woken most often',
    '  waker=(timer, device, other) woken=first times=3 share=42.9 %',
    '  waker=first woken=second\\u001b[31m times=3 share=42.9 %',
    '  waker=second\\u001b[31m woken=first times=1 share=14.3 %',
    '',
    'most CPU time',
    '  task=1 second\\u001b[31m CPU s=2.0000 waits=3 sleeps=0 wakes=0 starts=0',
    '  task=0 first CPU s=1.0000 waits=1 sleeps=3 wakes=3 starts=1',
  ]);
});

test('a recording of a host says so by its command; lost events are told', (t) => {
  const lines = describe({
    ...TRACE,
    origin: { kernel: '6.1', cpus: 2, command: ['make', '-j4'] },
    figures: { ...TRACE.figures, lost: 12 },
  });
  t.deepEqual(lines.slice(0, 2), ['make -j4', 'recorded on a host: kernel 6.1, 2 CPUs']);
  t.true(lines.includes('12 events are lost: what is shown is not all'));
});

test('of many tasks the ten that computed most are shown; without wake-ups a table still has its head', (t) => {
  const tasks = Array.from({ length: 30 }, (_, at) => ({
    name: `t${at}`,
    operations: [{ do: 'run', ns: at * 1e9 }] as const,
  }));
  const lines = describe({ ...TRACE, tasks });
  t.deepEqual(
    lines.slice(lines.indexOf('most CPU time') + 1).map((line) => line.trim().split(' CPU')[0]),
    Array.from({ length: 10 }, (_, at) => `task=${29 - at} t${29 - at}`),
  );
  t.true(lines.includes('  waker=- woken=- times=0 share=-'));
});
