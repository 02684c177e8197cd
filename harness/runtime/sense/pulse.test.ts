// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { changeOf, type Pulse, pulseBetween, pulseTotals } from './pulse.ts';

/** As of a machine with two processors; the line of interrupts is long on real ones. */
const stat = (
  user: number,
  idle: number,
  switches: number,
  forks: number,
  received: number,
) => `cpu  ${user} 0 20 ${idle} 5 0 2 0 0 0
cpu0 1 0 1 1 0 0 0 0 0 0
intr 1000 0 0 7
ctxt ${switches}
btime 1700000000
processes ${forks}
procs_running 1
softirq 500 0 100 6 ${received} 9 0 1 2 3 4
`;

const pulse = (switches: number, user: number): Pulse => ({
  rates: { 'context switches': switches, forks: 0 },
  shares: { user, idle: 1 - user },
});

test('the pulse of a stretch is events a second, and shares of the processors’ time', (t) => {
  const before = pulseTotals(stat(100, 1000, 5000, 40, 70));
  const after = pulseTotals(stat(175, 1025, 5600, 42, 71));
  if (before === undefined || after === undefined) return t.fail('not read');
  const seen = pulseBetween(before, after, 0.5e9);
  t.deepEqual(seen, {
    rates: {
      'context switches': 1200,
      forks: 4,
      'packets sent': 0,
      'packets received': 2,
      'block requests': 0,
    },
    shares: { user: 0.75, kernel: 0, idle: 0.25, 'waiting for disks': 0 },
  });
  t.is(pulseBetween(after, before, 1e9), undefined, 'counts that went back');
  t.is(pulseTotals('cpu 1 2'), undefined);
  t.is(pulseTotals(''), undefined);
});

test('this machine tells its pulse', async (t) => {
  const { readPulse } = await import('./pulse.ts');
  t.true((readPulse()?.events['context switches'] ?? 0) > 0);
  t.is(readPulse('/nowhere'), undefined);
});

test('a change is a pulse that none of those that are known comes near to in everything', (t) => {
  const known = [pulse(10_000, 0.5), pulse(14_000, 0.55)];
  t.is(changeOf(known, pulse(12_000, 0.5), 1.5, 2), undefined);
  t.is(changeOf(known, pulse(20_000, 0.5), 1.5, 2), undefined);
  t.is(changeOf(known, pulse(22_000, 0.5), 1.5, 2), '22000/s context switches, were 14000/s');
  t.is(changeOf(known, pulse(6_000, 0.5), 1.5, 2), '6000/s context switches, were 10000/s');
  t.is(changeOf(known, pulse(12_000, 0.72), 1.5, 2), 'processors 72 % user, were 55 %');
  t.is(changeOf(known, pulse(12_000, 0.3), 1.5, 2), 'processors 30 % user, were 50 %');
  const apart = [pulse(1_000, 0.9), pulse(50_000, 0.1)];
  t.truthy(changeOf(apart, pulse(1_000, 0.1), 1.5, 2), 'each alone was seen, and never together');
  t.is(changeOf([pulse(0, 0)], pulse(40, 0), 1.5, 2), undefined, 'an idle machine does as much');
  t.is(changeOf([], pulse(1, 1), 1.5, 2), undefined, 'nothing is known yet');
});
