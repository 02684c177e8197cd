// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { OutcomeRow } from './outcome-types.ts';
import { failureRate, rankRows, unrankedLeaders } from './rank.ts';

const failed = (...trials: string[]) => [{ state: 'crashed', reason: 'r', trials }];
/** A row of five recorded trials. */
const row = (policy: string, ratio: number | undefined, over: object = {}): OutcomeRow =>
  ({
    policy,
    role: 'measure',
    ratio:
      ratio === undefined ? { kind: 'none', pairs: 0, why: 'no-pairs' } : { kind: 'point', pairs: 1, ratio },
    n: 5,
    recorded: 5,
    failures: [],
    metric: { name: 'time', unit: 's', direction: 'lower' },
    ...over,
  }) as unknown as OutcomeRow;
const base = (over: object = {}) => row('eevdf', undefined, { role: 'baseline', ...over });
const ranks = (...rows: OutcomeRow[]) => rankRows(rows).map(({ rank }) => rank);

test('the best ratio is first, the baseline stands at 1, equal ones share a rank, and the next rank is left out', (t) => {
  t.deepEqual(ranks(base(), row('a', 0.8), row('b', 1.2), row('c', 0.8)), [3, 1, 4, 1]);
  const higher = { metric: { name: 'ops', unit: 'ops/s', direction: 'higher' } };
  t.deepEqual(ranks(base(higher), row('a', 0.8, higher), row('b', 1.2, higher)), [2, 3, 1]);
});

test('a control is not ranked, however good it looks, and takes nobody a rank', (t) => {
  t.deepEqual(ranks(base(), row('eevdf', 0.5, { role: 'aa' }), row('a', 0.8)), [2, undefined, 1]);
});

test('one that failed once, or has no ratio, is not ranked', (t) => {
  t.deepEqual(
    ranks(base(), row('a', 0.5, { failures: failed('0001') }), row('b', undefined), row('c', 0.9)),
    [2, undefined, undefined, 1],
  );
  t.deepEqual(ranks(base({ n: 0 }), row('c', 0.9)), [undefined, 1]);
});

test('nothing is ranked, and nothing leads, where the baseline fails too often', (t) => {
  const rows = [
    base({ failures: failed('0000') }),
    row('a', 0.5),
    row('b', 0.4, { failures: failed('0001') }),
  ];
  t.deepEqual(ranks(...rows), [undefined, undefined, undefined]);
  t.deepEqual(unrankedLeaders(rows), []);
});

test('one that failed and would lead is named', (t) => {
  const broken = (ratio: number) => row('b', ratio, { failures: failed('0001') });
  const named = (...rows: OutcomeRow[]) => unrankedLeaders(rankRows(rows)).map(({ policy }) => policy);
  t.deepEqual(named(base(), row('a', 0.8), broken(0.7)), ['b']);
  t.deepEqual(named(base(), row('a', 0.8), broken(0.8)), []);
  t.deepEqual(named(base(), row('a', 0.8), broken(0.9)), []);
  t.deepEqual(named(broken(3)), ['b'], 'nobody else is ranked');
});

test('the share that failed is of the recorded trials of all rows', (t) => {
  t.is(failureRate([]), 0);
  t.is(failureRate([base(), row('a', 1, { failures: [...failed('1', '2'), ...failed('3')] })]), 0.3);
});
