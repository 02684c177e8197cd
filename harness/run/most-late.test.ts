// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { misTimed, mostLate } from './most-late.ts';

const about = (given: number, want: number) => Math.abs(given - want) < 1e-12;

test('where time is virtual 50 ms and a twentieth of what was due are on time, elsewhere 250 ms', (t) => {
  for (const engine of ['exact', 'mock'] as const) {
    t.true(about(mostLate(0, engine), 0.05));
    t.true(about(mostLate(4, engine), 0.25));
  }
  t.true(about(mostLate(0, 'native'), 0.25));
  t.true(about(mostLate(4, 'native'), 0.45));
});

/** A take-over that was due after 2 s, on time within 150 ms. */
const of = (forkMs: number, activeMs: number, elapsedMs = 10_000) =>
  misTimed('2s', 2000, 'exact', {
    forkNs: forkMs * 1e6,
    activeNs: activeMs * 1e6,
    elapsedNs: elapsedMs * 1e6,
  });

test('a policy that was chosen and in effect near the planned time is on time', (t) => {
  t.is(of(2000, 2000), undefined);
  t.is(of(1851, 2149), undefined);
  t.is(of(2000, 2100, 2100), undefined, 'at the very end of the run');
  const justLate = (forkNs: number, activeNs: number) =>
    misTimed('0s', 0, 'exact', { forkNs, activeNs, elapsedNs: 9e9 });
  t.is(justLate(5e7, 5e7), undefined, 'exactly so late as it may be');
  t.truthy(justLate(5e7 + 1, 5e7 + 1));
  t.truthy(justLate(5e7, 5e7 + 1));
  t.is(misTimed('quiescent', undefined, 'exact', { forkNs: 9e9, activeNs: 9e9, elapsedNs: 1 }), undefined);
});

test('one that was chosen early or late, or was in effect late, is refused with the times', (t) => {
  for (const [fork, active] of [
    [1849, 2000],
    [2151, 2151],
    [2000, 2151],
    [1000, 1000],
  ] as const) {
    const verdict = of(fork, active);
    t.is(verdict?.state, 'refused', `${fork} ${active}`);
    t.is(
      verdict !== undefined && 'reason' in verdict ? verdict.reason : '',
      `the policy took over ${(active / 1000).toFixed(3)} s into the run (chosen at ${(fork / 1000).toFixed(3)} s); planned was 2 s, give or take 0.150 s`,
    );
  }
});

test('one that was in effect after the run says how long that was, and a warm one that it was', (t) => {
  const late = of(2000, 2100, 2099);
  t.like(late, {
    state: 'refused',
    reason: 'the policy took over after the run, which lasted 2.099 s; planned was 2 s, give or take 0.150 s',
  });
  const warm = misTimed('warm', 500, 'native', { forkNs: 3e9, activeNs: 3e9, elapsedNs: 9e9 });
  t.like(warm, {
    reason:
      'the policy took over 3.000 s into the run (chosen at 3.000 s); planned was 0.5 s (warm), give or take 0.275 s',
  });
});
