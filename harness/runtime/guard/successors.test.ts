// SPDX-License-Identifier: Apache-2.0
// What the guard remembers after each kind of event, to the last field.
import test from 'ava';
import { EEVDF, type Health, type Selection, type SwitchReport } from '../contracts.ts';
import { GUARD_DEFAULTS, type GuardConfig } from './config.ts';
import { dwellMs } from './dwell.ts';
import { floorLimits, harmOf } from './harm.ts';
import { type GuardState, INITIAL, type Watch } from './state.ts';
import { type GuardContext, type GuardInput, step } from './step.ts';

const NOW = 5000e9;
const config: GuardConfig = { ...GUARD_DEFAULTS, windows: 1 };
const context: GuardContext = { config, kernel: 'k', versionOf: () => '1' };
const UNDER_A: GuardState = { ...INITIAL, policy: 'a', sinceNs: 1e9, switchesNs: [4000e9] };
const good: Health = {
  pressure: { cpu: 0.1 },
  progress: 1000,
  progressUnit: 'given',
  waitP99Us: 100,
  waitMeanUs: 10,
};
const named = (policy: string): Selection => ({
  policy,
  rule: 'map',
  why: 'w',
  neighbours: [],
  abstained: false,
  novel: false,
});
const windowOf = (policy: string, health = good, vector: readonly number[] = [1, 0]): GuardInput => ({
  kind: 'window',
  nowNs: NOW,
  seen: { health, vector },
  selection: named(policy),
  canLog: true,
});
const active = (from: string, to: string): SwitchReport => ({
  from,
  to,
  gapNs: 0,
  preparedNs: 0,
  outcome: 'active',
  proof: '',
});
const refused = (from: string, to: string, now: string): SwitchReport => ({
  ...{ from, to, gapNs: 0, preparedNs: 0 },
  ...{ outcome: 'refused', why: 'no', now, blamed: false },
});
const reported = (
  report: SwitchReport,
  costNs = 0,
  cause: 'evidence' | 'killed' = 'evidence',
): GuardInput => ({
  kind: 'report',
  nowNs: NOW,
  report,
  cause,
  costNs,
});
const after = (state: GuardState, ...inputs: readonly GuardInput[]) =>
  inputs.reduce(
    (verdict, input) => step(verdict.state, input, context),
    step(state, { kind: 'again', nowNs: NOW }, context),
  );

test('a switch that came to pass: what it cost, who came, and what it is compared with', (t) => {
  const before = { ...INITIAL, recent: [{ health: good, vector: [1, 0] }], leaving: undefined };
  const { state } = after(before, reported(active(EEVDF, 'a'), 40e6));
  t.deepEqual(state, {
    ...INITIAL,
    policy: 'a',
    sinceNs: NOW,
    candidate: undefined,
    recent: [],
    watch: { from: EEVDF, before: [good], vector: [1, 0], predicted: 1, after: [], windows: 0 },
    floor: undefined,
    blind: undefined,
    leaving: undefined,
    arrivals: [{ policy: 'a', atNs: NOW }],
    costNs: 40e6,
  });
  t.is(dwellMs(state, config), 4000, 'a hundred times the cost');
});

test('what was applied from outside is held no longer once it went', (t) => {
  const apply: GuardInput = { kind: 'apply', policy: 'a', unguarded: true, canLog: true, nowNs: NOW };
  const held = after(INITIAL, apply, reported(active(EEVDF, 'a'))).state;
  t.is(after(held, windowOf('b')).rule, 'applied');
  const departure = { policy: 'a', how: 'replaced', why: 'w' } as const;
  const gone = after(held, { kind: 'departed', departure, nowNs: NOW }, reported(active('a', EEVDF)));
  t.is(gone.state.held, undefined);
  t.deepEqual(after(gone.state, windowOf('b')).rule, 'dwell', 'the map is asked again, after some time');
});

test('what the guardian dropped is no fault of the policy, and time passes before the next switch', (t) => {
  const departure = { policy: 'a', how: 'dropped', why: 'no beat' } as const;
  const { state, action, rule } = after(UNDER_A, { kind: 'departed', departure, nowNs: NOW });
  t.deepEqual(action, { kind: 'fall-back', to: EEVDF });
  t.is(rule, 'departed');
  t.deepEqual(state.quarantine, []);
  t.is(state.notBeforeNs, NOW + config.asideMs * 1e6);
});

test('a way home that is refused is tried again by each window and each look, whatever the dwell, and is one switch', (t) => {
  const sent = after(UNDER_A, { kind: 'kill', why: 'enough', nowNs: NOW });
  t.deepEqual(sent.state.leaving, { rule: 'killed', because: 'enough' });
  const stuck = after(sent.state, reported(refused('a', EEVDF, 'a'), 0, 'killed')).state;
  t.is(stuck.policy, 'a');
  const opened = step(stuck, { kind: 'resume', nowNs: NOW }, context).state;
  for (const state of [stuck, opened]) {
    for (const input of [{ kind: 'again', nowNs: NOW }, windowOf('a')] as const) {
      const again = step(state, input, context);
      t.deepEqual(again.action, { kind: 'fall-back', to: EEVDF });
      t.is(again.state.switchesNs.length, 2);
    }
  }
  t.is(
    step(opened, { kind: 'apply', policy: 'b', unguarded: true, canLog: true, nowNs: NOW }, context).action
      .kind,
    'stay',
  );
  const home = after(stuck, reported(active('a', EEVDF))).state;
  t.is(home.leaving, undefined);
  t.is(step(home, { kind: 'again', nowNs: NOW }, context).action.kind, 'stay');
});

test('a policy that was refused and is there all the same is left', (t) => {
  const { state } = after(INITIAL, reported(refused(EEVDF, 'a', 'a')));
  t.is(state.policy, 'a');
  t.deepEqual(step(state, windowOf('a'), context).action, { kind: 'fall-back', to: EEVDF });
  t.is(
    after(UNDER_A, reported(refused('a', 'b', 'a'))).state.leaving,
    undefined,
    'one that never came is not',
  );
});

test('a policy is left after so many windows in which nothing is seen of how the machine fares', (t) => {
  const blind = (count: number) => Array.from({ length: count }, () => windowOf('a', { pressure: {} }));
  t.is(after(UNDER_A, ...blind(4)).action.kind, 'stay');
  const left = after(UNDER_A, ...blind(5));
  t.deepEqual([left.rule, left.action.kind], ['blind', 'fall-back']);
  t.deepEqual(left.state.quarantine, [], 'nobody knows whose fault it is');
  t.is(
    after(UNDER_A, ...blind(4), windowOf('a'), ...blind(4)).action.kind,
    'stay',
    'one that sees begins anew',
  );
  t.is(
    after(INITIAL, ...blind(9).map((input) => ({ ...input, selection: named(EEVDF) }))).action.kind,
    'stay',
  );
});

const watchOf = (health: Health): Watch => ({
  from: EEVDF,
  before: [good, good, good],
  vector: [1, 0],
  predicted: 1,
  after: [health, health, health],
  windows: 4,
});
const { harm } = config;

test('no progress at all, and a sign that vanished, are harm', (t) => {
  t.regex(harmOf(watchOf({ ...good, progress: 0 }), harm) ?? '', /^progress fell to 0 %/);
  const { progress: _, progressUnit: __, ...silent } = good;
  t.regex(harmOf(watchOf(silent), harm) ?? '', /^progress \(given\) is not told any more/);
  t.regex(harmOf(watchOf({ ...good, progressUnit: 'instructions' }), harm) ?? '', /^progress \(given\)/);
  const { waitMeanUs: ___, waitP99Us: ____, ...unseen } = good;
  t.regex(harmOf(watchOf(unseen), harm) ?? '', /^no task that waits for a CPU/);
  const one = {
    ...watchOf({ ...good, progress: 1 }),
    after: [{ ...good, progress: 1 }, silent, { ...good, progress: 1 }],
  };
  t.regex(harmOf(one, harm) ?? '', /^progress fell/, 'one window that lacks it hides nothing');
  t.is(harmOf(watchOf(good), harm), undefined);
});

test('a policy is judged by what the map chose it for, and never loses more than half of the rest', (t) => {
  const waits = { ...good, waitP99Us: 500, waitMeanUs: 20 };
  const works = { ...good, progress: 800 };
  const by = (objective: 'primary' | 'time' | 'tail' | 'energy' | undefined, health: Health) =>
    harmOf(watchOf(health), { ...harm, objective }) !== undefined;
  t.deepEqual(
    [undefined, 'primary', 'time', 'tail', 'energy'].map((each) => by(each as never, waits)),
    [...[true, false, false, true, false]],
  );
  t.deepEqual(
    [undefined, 'primary', 'time', 'tail', 'energy'].map((each) => by(each as never, works)),
    [...[true, true, true, false, false]],
  );
  for (const objective of ['primary', 'time', 'tail', 'energy'] as const) {
    t.true(by(objective, { ...good, progress: 490 }), objective);
    t.true(by(objective, { ...good, waitP99Us: 1700, waitMeanUs: 31 }), objective);
  }
  const counted = {
    ...watchOf(waits),
    before: [1, 2, 3].map(() => ({ ...good, progressUnit: 'instructions' as const })),
  };
  t.truthy(
    harmOf(
      {
        ...counted,
        after: counted.after.map((each) => ({ ...each, progressUnit: 'instructions' as const })),
      },
      {
        ...harm,
        objective: 'time',
      },
    ),
    'what is counted may be busy waiting',
  );
});

test('once it is not watched closely a floor stands for as long as the policy does', (t) => {
  const watch = { ...watchOf(good), after: [], windows: 0 };
  const lived = after({ ...UNDER_A, watch }, ...Array.from({ length: 40 }, () => windowOf('a'))).state;
  t.is(lived.watch, undefined);
  t.is(lived.floor?.before.length, 3);
  const three = (health: Health, vector?: readonly number[]) =>
    [1, 2, 3].map(() => windowOf('a', health, vector));
  const lost = { ...good, progress: 10 };
  t.is(after(lived, ...three(lost)).rule, 'harm');
  t.is(after(lived, ...three({ ...good, progress: 700 })).rule, 'agrees', 'loads change');
  t.is(after(lived, ...three(lost, [0, 1])).rule, 'agrees', 'another load that nobody waits for');
  t.is(
    after(lived, ...three({ ...lost, pressure: { cpu: 0.9 } }, [0, 1])).rule,
    'harm',
    'tasks wait for CPUs',
  );
  t.is(floorLimits(harm).progress, 1);
});

test('each return within the hour doubles the dwell', (t) => {
  const cheap = (to: string, from: string) => reported(active(from, to), 1e6);
  const first = after(INITIAL, cheap('a', EEVDF), cheap(EEVDF, 'a')).state;
  t.is(dwellMs(first, config), 1000);
  const second = after(first, cheap('a', EEVDF), cheap(EEVDF, 'a')).state;
  t.is(dwellMs(second, config), 4000);
  t.is(dwellMs(second, { ...config, dwell: { ...config.dwell, ms: 7 } }), 7, 'what was given is given');
  const later = step(second, { kind: 'resume', nowNs: NOW + 3600e9 }, context).state;
  t.is(dwellMs(later, config), 1000);
});
