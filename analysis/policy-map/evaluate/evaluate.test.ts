// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { Method } from '../choose/method.ts';
import { arcOfWorkloads, sampleExample, unitOf } from '../choose/sample-examples.ts';
import { ablateFeatures } from './ablation.ts';
import { compareMethods } from './compare-methods.ts';
import { comparePicks, judgePicks } from './judge-picks.ts';
import { pickHeldOut } from './leave-one-out.ts';

const near = (t: { true(ok: boolean, words?: string): unknown }, a: number, b: number) =>
  t.true(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);
const log = Math.log;

test('picks are judged by what they cost, worked out by hand', (t) => {
  const a = sampleExample('a', unitOf(1, 0), { p: log(0.5), q: log(0.8), r: log(2), s: log(0.79) });
  const b = sampleExample('b', unitOf(0, 1), { p: log(1.5), q: log(1.005), r: log(1.2), s: 'failed' });
  const verdict = judgePicks([
    { example: a, policy: 'q' },
    { example: b, policy: 'q' },
  ]);
  // 0.8 where 0.5 is best, 1.005 where EEVDF is.
  near(t, verdict.regret, (0.6 + 0.005) / 2);
  near(t, verdict.geometricRegret, Math.sqrt(1.6 * 1.005) - 1);
  near(t, verdict.gain, Math.sqrt(0.8 * 1.005) - 1);
  t.is(verdict.top3, 1);
  t.is(verdict.noWorse, 1);
  t.is(verdict.strictlyWorse, 0.5);
  // In b no policy is better than EEVDF.
  t.is(verdict.flat, 1);
});

test('a pick that failed costs what the dearest does, and EEVDF for all costs nothing', (t) => {
  const example = sampleExample('a', unitOf(1, 0), { p: 'failed', q: log(0.8), r: log(2) });
  const failed = judgePicks([{ example, policy: 'p' }]);
  near(t, failed.gain, 1);
  t.is(failed.failed, 1);
  t.is(failed.noWorse, 0);
  const left = judgePicks([{ example }]);
  near(t, left.regret, 0.25);
  t.is(left.abstained, 1);
  t.is(left.noWorse, 1);
});

test('where all policies are alike, what a pick loses is told apart', (t) => {
  const example = sampleExample('a', unitOf(1, 0), { p: log(1.015), q: log(0.99) });
  const verdict = judgePicks([{ example, policy: 'p' }]);
  t.is(verdict.flat, 1);
  near(t, verdict.worstWhereFlat ?? 0, 0.015);
  t.is(verdict.noWorse, 0);
  t.is(verdict.top3OrEqual, 1);
});

test('a difference that is the same for each workload has an interval that excludes zero', (t) => {
  const examples = arcOfWorkloads(12);
  const picks = examples.map((example, at) => ({ example, policy: at < 6 ? 'left' : 'right' }));
  const others = examples.map((example) => ({ example, policy: 'bad' }));
  const { ratio, interval } = comparePicks(picks, others);
  t.true(ratio < 0 && (interval?.high ?? 1) < 0);
  t.is(comparePicks(picks, picks).ratio, 0);
});

test('no picker is fitted or calibrated on the workload that it is judged on', (t) => {
  const examples = arcOfWorkloads(12);
  const seen: string[][] = [];
  const spy: Method = {
    name: 'spy',
    fit(given) {
      seen.push(given.map(({ workload }) => workload));
      return { estimates: () => [] };
    },
  };
  pickHeldOut(spy, examples);
  // For each workload 11 times to calibrate on 10 others, and once on all 11.
  t.is(seen.length, 12 * 12);
  for (let at = 0; at < 12; at++) {
    t.false(seen.slice(12 * at, 12 * (at + 1)).some((names) => names.includes(`w${at}`)));
  }
});

test('on an arc of workloads vectors beat any single policy', (t) => {
  const found = compareMethods(arcOfWorkloads(24));
  const of = (picker: string) => found.find((each) => each.picker.startsWith(picker));
  t.true((of('kNN')?.overStatic.interval?.high ?? 1) < 0);
  t.is(of('oracle')?.verdict.regret, 0);
  t.is(of('EEVDF')?.verdict.abstained, 1);
});

test('a feature that tells workloads apart is missed, and one that never changes is not', (t) => {
  // The third axis is the same for all: without it the arc is as it was.
  const examples = arcOfWorkloads(24).map((example) => {
    const [x = 0, y = 0] = example.vectors[0] ?? [];
    return { ...example, vectors: [unitOf(x, y, 0)] };
  });
  const { all, none, rows } = ablateFeatures(examples, ['x', 'y', 'still']);
  t.is(rows.find(({ feature }) => feature === 'still')?.without, all);
  t.true(none > all);
  t.true((rows.find(({ feature }) => feature === 'x')?.without ?? 0) > all);
});
