// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { canonicalJson, shortDigest } from '../../harness/core/ids.ts';
import { addCounted, type Counted } from './counted.ts';
import { FEATURES, FEATURES_VERSION } from './definition.ts';
import { halfBusy, sampleCounted } from './sample-counted.ts';
import { fitScales, SCALES } from './scales.ts';
import { featureReadings, workloadVector } from './workload-vector.ts';

/** What the formulas give for {@link halfBusy}, computed by hand. */
const BY_HAND: Readonly<Record<string, number>> = {
  busy: 2 / 4,
  run_mean: Math.log2(1 + 2000),
  run_short: 0.3,
  run_long: 0.1,
  wait_share: 0.5 / 2.5,
  wait_mean: Math.log2(1 + 500),
  wait_long: 0.1,
  preempted: 0.2,
  to_idle: 400 / 1600,
  switch_rate: Math.log2(1 + 800),
  wake_per_switch: 0.5,
  wake_sync: 0.2,
  wake_same_process: 0.5,
  wake_same_cpu: 0.25,
  wake_by_idle: 0.1,
  wake_pairs: 2,
  migrated: 0.05,
  fork_rate: 2,
  depth_mean: (600 + 800 + 800) / 1600,
  depth_many: 200 / 1600,
  fault_rate: 10,
  page_rate: 4,
  reclaim_rate: 0,
  bio_rate: 3,
  bio_size: 12,
  packet_rate: 8,
  packet_size: 7,
  unix_sockets: 0.25,
  sleep_read_write: 160 / 800,
  sleep_socket: 24 / 800,
  sleep_poll: 160 / 800,
  sleep_futex: 240 / 800,
  sleep_timer: 8 / 800,
  sleep_kernel: 0.1,
};

test('each feature is what its formula says', (t) => {
  const readings = featureReadings(halfBusy());
  t.is(Object.keys(BY_HAND).length, FEATURES.length);
  FEATURES.forEach(({ name }, at) => {
    t.true(
      Math.abs((readings[at]?.value ?? Number.NaN) - (BY_HAND[name] as number)) < 1e-12,
      `${name}: ${readings[at]?.value}`,
    );
  });
});

test('there are 24 to 40 features with names of their own', (t) => {
  t.true(FEATURES.length >= 24 && FEATURES.length <= 40);
  t.is(new Set(FEATURES.map(({ name }) => name)).size, FEATURES.length);
});

test('whoever changes a formula, a scale or the order gives the list another version', (t) => {
  const listed = FEATURES.map(({ name, unit, formula }, at) => ({ name, unit, formula, scale: SCALES[at] }));
  t.is(`${FEATURES_VERSION} ${shortDigest(canonicalJson(listed))}`, 'features-1 3663831c8d9ca4bc');
});

test('a vector has length 1', (t) => {
  t.true(Math.abs(Math.hypot(...valuesOf(halfBusy())) - 1) < 1e-12);
});

test('the same for longer is the same vector', (t) => {
  // But for how sure few events are.
  t.true(cosine(valuesOf(halfBusy(100)), valuesOf(halfBusy(400))) > 0.9999);
});

test('a feature that rests on few events is drawn to its centre', (t) => {
  const scales = FEATURES.map(() => ({ centre: 0, spread: 1 }));
  const at = FEATURES.findIndex(({ name }) => name === 'wake_sync');
  const share = (wake: number) => {
    const { durationNs, vcpus, sets } = halfBusy();
    const vector = workloadVector(
      { durationNs, vcpus, sets: { ...sets, cpu: { ...sets.cpu, wake, wake_sync: wake } } },
      scales,
    );
    return vector.kind === 'vector' ? (vector.values[at] as number) : Number.NaN;
  };
  t.true(share(1) < 0.15 * share(1e6));
  t.true(share(10) > 0.45 * share(1e6) && share(10) < 0.55 * share(1e6));
});

test('a window that is short, idle, without switches or lacks a counter is unknown, and says so', (t) => {
  const why = (counted: Counted) => {
    const vector = workloadVector(counted);
    return vector.kind === 'unknown' ? vector.why : 'known';
  };
  t.is(why(halfBusy()), 'known');
  t.is(why({ ...halfBusy(), durationNs: 10e6 }), 'the window is 10 ms long; 50 ms are the least');
  t.is(
    why(sampleCounted({ cpu: { run_ns: 4e6 } })),
    'processors were busy for 0.1 % of the window; 2 % are the least',
  );
  t.is(
    why(sampleCounted({ cpu: { run_ns: 2e9, switch_sleep: 3 } })),
    'tasks left a processor 3 times; 20 are the least',
  );
  const { durationNs, vcpus, sets } = halfBusy();
  const { wake: _, ...cpu } = sets.cpu ?? {};
  t.is(why({ durationNs, vcpus, sets: { ...sets, cpu } }), 'counter cpu.wake is absent');
  const { net: __, ...others } = sets;
  t.is(why({ durationNs, vcpus, sets: others }), 'probe set net is absent');
});

test('windows add up to the whole', (t) => {
  t.deepEqual(addCounted([halfBusy(), halfBusy(), halfBusy(2)]), halfBusy(4));
  t.is(addCounted([]), undefined);
  const { wake: _, ...cpu } = halfBusy().sets.cpu ?? {};
  const lacking = { ...halfBusy(), sets: { ...halfBusy().sets, cpu } };
  t.is(addCounted([halfBusy(), lacking])?.sets.cpu?.wake, undefined);
});

test('scales are medians and robust spreads, never below the least', (t) => {
  const rows = Array.from({ length: 11 }, (_, at) => [at, 5, at === 10 ? 1000 : at]);
  const [first, second, third] = fitScales(rows, [0.1, 0.1, 0.1]);
  t.is(first?.centre, 5);
  t.is(first?.spread, 8 / 2.563);
  t.deepEqual(second, { centre: 5, spread: 0.1 });
  // One extreme value moves nothing.
  t.deepEqual(third, first);
});

function valuesOf(counted: Counted): readonly number[] {
  const vector = workloadVector(counted);
  if (vector.kind === 'unknown') throw new Error(vector.why);
  return vector.values;
}

function cosine(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}
