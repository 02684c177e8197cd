// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { commandFor } from './command.ts';
import { PmvxError } from './errors.ts';
import type { Seed } from './seed.ts';
import { type Workload, WorkloadSchema } from './workload.ts';

const base = {
  summary: 'a',
  class: 'ipc',
  source: 'a',
  params: {
    transport: { type: 'choice', values: ['pipe', 'socket'], default: 'pipe', about: 'a' },
    groups: { type: 'int', min: 1, max: 5, default: 2, about: 'a' },
  },
  seed: 'a',
  argv: [
    '/bin/x',
    { if: 'transport', is: 'pipe', add: ['-p', '-q'] },
    `--g=\${groups}:\${groups}`,
    `\${seed}`,
    '; rm $HOME',
  ],
  metrics: { time: { unit: 's', direction: 'lower', primary: true, pattern: '(.)', about: 'a' } },
  deadline_s: 60,
  takes_s: { exact: 1, kvm: 1 },
};

const workload: Workload = { id: 'x', definition: WorkloadSchema.parse(base) };
const warmed: Workload = { id: 'x', definition: WorkloadSchema.parse({ ...base, warmup: { groups: 1 } }) };
const seed = 77 as Seed;

test('parameters and seed fill the arguments, and each argument stays one argument', (t) => {
  t.deepEqual(commandFor(workload, { transport: 'socket', groups: 3 }, seed), {
    run: ['/bin/x', '--g=3:3', '77', '; rm $HOME'],
  });
});

test('conditional arguments are there only for their value', (t) => {
  const { run } = commandFor(workload, { transport: 'pipe', groups: 3 }, seed);
  t.deepEqual(run, ['/bin/x', '-p', '-q', '--g=3:3', '77', '; rm $HOME']);
});

test('warm-up is the run with its own values in place of some', (t) => {
  const { run, warmup } = commandFor(warmed, { transport: 'socket', groups: 3 }, seed);
  t.is(run[1], '--g=3:3');
  t.deepEqual(warmup, ['/bin/x', '--g=1:1', '77', '; rm $HOME']);
});

test('servers come before the run and its warm-up, each with what shows that it is ready', (t) => {
  const servers = [
    { argv: ['/bin/s', `-t\${groups}`, { if: 'transport', is: 'pipe', add: ['-p'] }], ready: { port: 80 } },
    { argv: ['/bin/u', `\${seed}`], ready: { socket: '/run/u.sock' } },
  ];
  const definition = WorkloadSchema.parse({ ...base, servers, warmup: { groups: 1 } });
  const { run, warmup } = commandFor({ id: 'x', definition }, { transport: 'socket', groups: 3 }, seed);
  const started = (groups: number) => [
    ...['/opt/pmvx/bin/serve', '--port', '80', '2', '/bin/s', `-t${groups}`],
    ...['--socket', '/run/u.sock', '2', '/bin/u', '77', '--'],
    ...['/bin/x', `--g=${groups}:${groups}`, '77', '; rm $HOME'],
  ];
  t.deepEqual(run, started(3));
  t.deepEqual(warmup, started(1));
  const piped = commandFor({ id: 'x', definition }, { transport: 'pipe', groups: 3 }, seed).run;
  t.deepEqual(piped.slice(3, 7), ['3', '/bin/s', '-t3', '-p']);
});

test('a missing or illegal parameter never becomes an argument', (t) => {
  const error = t.throws(() => commandFor(workload, { groups: 9 }, seed), { instanceOf: PmvxError });
  t.is(
    error.message,
    'x.transport: must be one of pipe, socket, got nothing\nx.groups: must be a whole number from 1 to 5, got 9',
  );
});
