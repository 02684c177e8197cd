// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { EEVDF, type Health } from '../contracts.ts';
import { GUARD_DEFAULTS, type GuardConfig } from './config.ts';
import { costWith, dwellMs } from './dwell.ts';
import { harmOf, watchOn } from './harm.ts';
import { keepGuard, recallGuard } from './persist.ts';
import { quarantine, quarantinedNow } from './quarantine.ts';
import { INITIAL, type Watch } from './state.ts';
import { type GuardContext, type GuardInput, step } from './step.ts';

const config: GuardConfig = { ...GUARD_DEFAULTS, windows: 1, dwell: { ...GUARD_DEFAULTS.dwell, ms: 0 } };
const context: GuardContext = { config, kernel: '7.3', versionOf: () => '1' };
const health = (given: Partial<Health>): Health => ({ pressure: {}, ...given });
const subject = { policy: 'a', version: '1', kernel: '7.3' };

function watch(before: Partial<Health>, after: Partial<Health>, predicted = 0.9): Watch {
  const three = (given: Partial<Health>) => [health(given), health(given), health(given)];
  return { from: EEVDF, before: three(before), predicted, after: three(after), windows: 4 };
}

test('the default dwell makes the measured cost of a switch at most a hundredth of it', (t) => {
  const defaults = { ...GUARD_DEFAULTS };
  t.is(dwellMs(INITIAL, defaults), 1000, 'before any was measured: the least');
  t.is(dwellMs({ ...INITIAL, costNs: 40e6 }, defaults), 4000);
  t.is(dwellMs({ ...INITIAL, costNs: 1e12 }, defaults), 300_000, 'never more than the most');
  t.is(costWith(undefined, 5), 5);
  t.is(costWith(100, 5), 95, 'a slow switch is forgotten slowly');
});

test('each stay in quarantine is twice as long as the one before, up to a day', (t) => {
  let state = INITIAL;
  const stays = Array.from({ length: 12 }, () => {
    state = quarantine(state, subject, 'why', 0, GUARD_DEFAULTS);
    return (state.quarantine[0]?.untilNs ?? 0) / 60e9;
  });
  t.deepEqual(stays.slice(0, 4), [5, 10, 20, 40]);
  t.is(stays.at(-1), 24 * 60);
  t.is(state.quarantine.length, 1);
});

test('another version, another kernel, another policy are other cases', (t) => {
  const state = quarantine(INITIAL, subject, 'why', 0, GUARD_DEFAULTS);
  t.truthy(quarantinedNow(state, subject, 1));
  for (const other of [{ policy: 'b' }, { version: '2' }, { kernel: '7.4' }])
    t.is(quarantinedNow(state, { ...subject, ...other }, 1), undefined);
});

test('lost progress is harm, whatever tasks wait', (t) => {
  const lost = watch({ progress: 1000, progressUnit: 'calls' }, { progress: 800, progressUnit: 'calls' });
  t.is(harmOf(lost, config.harm), 'progress fell to 80 % of what it was');
  const kept = watch({ progress: 1000, progressUnit: 'calls' }, { progress: 950, progressUnit: 'calls' });
  t.is(harmOf(kept, config.harm), undefined);
  const other = watch({ progress: 1000, progressUnit: 'calls' }, { progress: 800, progressUnit: 'messages' });
  t.is(harmOf(other, config.harm), undefined, 'two units cannot be compared');
});

test('a longer tail is harm when the mean grew, too, and no progress makes up for it', (t) => {
  const tail = { waitP99Us: 4000, waitMeanUs: 30 };
  const before = { waitP99Us: 500, waitMeanUs: 10 };
  t.regex(
    harmOf(watch(before, tail), config.harm) ?? '',
    /99th percentile .* grew 8.0 times, the mean 3.0 times/,
  );
  t.is(harmOf(watch(before, { ...tail, waitMeanUs: 11 }), config.harm), undefined);
  const progress = (value: number) => ({ progress: value, progressUnit: 'given' as const });
  t.is(harmOf(watch({ ...before, ...progress(100) }, { ...tail, ...progress(120) }), config.harm), undefined);
});

test('what the map predicted is no harm', (t) => {
  const lost = { progress: 800, progressUnit: 'given' } as const;
  const before = { progress: 1000, progressUnit: 'given' } as const;
  t.is(harmOf(watch(before, lost, 1.2), config.harm), undefined);
  t.truthy(harmOf(watch(before, lost, 1), config.harm));
});

test('a switch is watched while the load is the same, and not for ever', (t) => {
  const begun: Watch = { ...watch({}, {}), vector: [1, 0], after: [], windows: 0 };
  const seen = (vector: number[]) => ({ health: health({}), vector });
  t.is(watchOn(begun, seen([1, 0]), config.harm)?.after.length, 0, 'the first window settles');
  t.is(watchOn({ ...begun, windows: 1 }, seen([1, 0]), config.harm)?.after.length, 1);
  const other = watchOn({ ...begun, windows: 1 }, seen([0, 1]), config.harm);
  t.like(other, { after: [], windows: 2 }, 'a window of another load is skipped');
  t.is(watchOn({ ...begun, windows: config.harm.watch }, seen([1, 0]), config.harm), undefined);
});

test('a restart forgets neither quarantine nor switches nor dwell, and trusts no clock that can be set', (t) => {
  const state = quarantine(
    { ...INITIAL, sinceNs: 90e9, notBeforeNs: 130e9, switchesNs: [10e9, 90e9], costNs: 7 },
    subject,
    'why',
    100e9,
    GUARD_DEFAULTS,
  );
  const kept = JSON.parse(JSON.stringify(keepGuard(state, 'boot', 100e9)));
  const { recent: _, ...same } = recallGuard(kept, 'boot', 160e9);
  const { recent: __, ...was } = state;
  t.deepEqual(same, was, 'in the same boot every time is what it was');
  const other = recallGuard(kept, 'another boot', 5e9);
  t.is(other.quarantine[0]?.untilNs, 5e9 + 300e9, 'after a reboot the rest is still to come');
  t.deepEqual(other.switchesNs, [5e9 - 90e9, 5e9 - 10e9]);
  t.deepEqual(recallGuard({ v: 2 }, 'boot', 0), INITIAL);
  t.deepEqual(recallGuard(undefined, 'boot', 0), INITIAL);
});

test('unguarded, dwell and rate do not count; the kill switch and an administrator do', (t) => {
  const busy = { ...INITIAL, sinceNs: 99, switchesNs: Array.from({ length: 60 }, () => 99) };
  const slow: GuardContext = { ...context, config: { ...config, dwell: { ...config.dwell, ms: 1e6 } } };
  const apply = { kind: 'apply', policy: 'a', canLog: true, nowNs: 100 } as const;
  const ask = (state: typeof busy, input: GuardInput) => step(state, input, slow);
  t.is(ask(busy, { ...apply, unguarded: false }).rule, 'dwell');
  t.like(ask(busy, { ...apply, unguarded: true }), { rule: 'applied', action: { kind: 'switch', to: 'a' } });
  t.is(step({ ...busy, killed: 'w' }, { ...apply, unguarded: true }, slow).rule, 'killed');
  t.is(step({ ...busy, aside: 'w' }, { ...apply, unguarded: true }, slow).rule, 'stepped-aside');
  const nowhere: GuardContext = { ...slow, versionOf: () => undefined };
  t.is(step(busy, { ...apply, unguarded: true }, nowhere).rule, 'not-available');
});
