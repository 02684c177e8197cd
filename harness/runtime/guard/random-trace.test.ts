// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { GUARD_DEFAULTS, type GuardConfig } from './config.ts';
import { liveRandomly, randomFrom } from './random-trace.ts';

const LIVES = 400;
const STEPS = 500;

/** Configurations from cautious to hasty, so that each safeguard is the one that matters in some life. */
function configOf(seed: number): GuardConfig {
  const random = randomFrom(seed ^ 0x5ca1ab1e);
  return {
    ...GUARD_DEFAULTS,
    windows: 1 + Math.floor(random() * 4),
    switchesAnHour: 2 + Math.floor(random() * 30),
    dwell: {
      costShare: 0.001 + random() * 0.02,
      atLeastMs: random() * 3000,
      atMostMs: 20_000,
      ...(random() < 0.3 ? { ms: random() * 10_000 } : {}),
    },
    quarantine: { firstMs: 1000 + random() * 60_000, mostMs: 1_000_000 },
    asideMs: random() * 10_000,
  };
}

test('no random life of a guard breaks a safeguard', (t) => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= LIVES; seed++) {
    const { rules, breaches } = liveRandomly(seed, STEPS, configOf(seed));
    for (const [rule, count] of rules) seen.set(rule, (seen.get(rule) ?? 0) + count);
    if (breaches.length > 0) return t.fail(`seed ${seed}: ${breaches.slice(0, 3).join('; ')}`);
  }
  // Lives in which nothing happens would prove nothing: each rule has decided often.
  for (const rule of [
    ...[
      'agrees',
      'no-evidence',
      'not-available',
      'evidence',
      'dwell',
      'hysteresis',
      'rate',
      'quarantined',
      'killed',
    ],
    ...['stepped-aside', 'harm', 'departed', 'refused', 'journal', 'applied', 'rolled-back'],
  ])
    t.true((seen.get(rule) ?? 0) >= 20, `${rule}: ${seen.get(rule) ?? 0}`);
  t.log(Object.fromEntries(seen));
});

const MORE: readonly (readonly [what: string, promised: Partial<GuardConfig>, words: RegExp])[] = [
  ['a longer dwell', { dwell: { ...GUARD_DEFAULTS.dwell, ms: 60_000 } }, /the dwell is 60 s/],
  ['more windows', { windows: 9 }, /a switch to \w+ on /],
  ['fewer switches', { switchesAnHour: 2 }, /switches in an hour|no switch is left/],
  ['longer quarantine', { quarantine: { firstMs: 6e6, mostMs: 6e7 } }, /in its quarantine/],
  ['longer grace', { asideMs: 600_000 }, /right after an administrator/],
];

for (const [what, promised, words] of MORE) {
  test(`a guard of whom ${what} was promised than it keeps is found out`, (t) => {
    const kept: GuardConfig = {
      ...GUARD_DEFAULTS,
      dwell: { ...GUARD_DEFAULTS.dwell, ms: 1000 },
      asideMs: 100,
    };
    const seeds = Array.from({ length: 20 }, (_, at) => at + 1);
    const found = seeds.flatMap((seed) => liveRandomly(seed, STEPS, kept, { ...kept, ...promised }).breaches);
    t.true(
      found.some((breach) => words.test(breach)),
      found.slice(0, 9).join('\n'),
    );
  });
}
