// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { JournalLine, SwitchReport } from '../contracts.ts';
import { unloggedSwitch } from './reconcile.ts';

const opsOf = (policy: string) => (policy === 'eevdf' ? undefined : policy);
const stamps = { v: 1, at: '', monotonicNs: 0, life: 'l', seq: 0 } as const;
const intent = (to: string, life = 'l'): JournalLine => ({
  ...stamps,
  life,
  kind: 'intent',
  from: 'eevdf',
  to,
  rule: 'evidence',
});
const answer = (to: string, outcome: 'active' | 'refused', life = 'l'): JournalLine => {
  const base = { from: 'eevdf', to, gapNs: 0, preparedNs: 0 };
  const report: SwitchReport =
    outcome === 'active'
      ? { ...base, outcome, proof: '' }
      : { ...base, outcome, why: '', now: 'eevdf', blamed: true };
  return { ...stamps, life, kind: 'event', event: 'switched', what: '', answer: report };
};

test('what was told and came to pass is no breach', (t) => {
  const lines = [
    intent('a'),
    answer('a', 'active'),
    intent('eevdf'),
    answer('eevdf', 'active'),
    intent('b'),
    answer('b', 'active'),
  ];
  t.is(unloggedSwitch(lines, { count: 2, names: ['a', 'b'] }, opsOf), undefined);
});

test('a scheduler that nobody told of is found', (t) => {
  const lines = [intent('a'), answer('a', 'active')];
  t.regex(unloggedSwitch(lines, { count: 2 }, opsOf) ?? '', /enabled 2 .* tells of 1/);
  t.regex(
    unloggedSwitch(lines, { count: 1, names: ['b'] }, opsOf) ?? '',
    /enabled b; the journal tells of a/,
  );
});

test('a scheduler that is said to be active and never was is found', (t) => {
  const lines = [intent('a'), answer('a', 'active'), intent('a'), answer('a', 'active')];
  t.regex(unloggedSwitch(lines, { count: 1 }, opsOf) ?? '', /says that 2 became active/);
});

test('a switch that was cut short may have come to pass or not', (t) => {
  const lines = [intent('a', 'l1'), intent('b', 'l2'), answer('b', 'active', 'l2')];
  t.is(unloggedSwitch(lines, { count: 1, names: ['b'] }, opsOf), undefined);
  t.is(unloggedSwitch(lines, { count: 2, names: ['a', 'b'] }, opsOf), undefined);
  t.truthy(unloggedSwitch(lines, { count: 2, names: ['b', 'a'] }, opsOf));
  t.truthy(unloggedSwitch(lines, { count: 0, names: [] }, opsOf));
});
