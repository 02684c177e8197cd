// SPDX-License-Identifier: Apache-2.0
import { PAUSE_MS, pauseAgainAndAgain } from '../../lab/self-test/pauses.ts';
import type { Disturbance, Victim } from './disturbance.ts';
import { missing } from './host-means.ts';
import { OUTSIDE } from './outside.ts';

/** What is done to a machine's process itself. */
const PAUSES: readonly Disturbance[] = [
  {
    name: 'pauses',
    about: 'SIGSTOP for 5 to 90 ms, again and again',
    strike: (victim) => paused(victim, [5, 90], [5, 60], 80),
  },
  {
    name: 'pauses-window',
    about: 'SIGSTOP for 105 to 130 ms, again and again',
    strike: (victim) => paused(victim, PAUSE_MS, [2, 60], 50),
  },
  {
    name: 'pauses-long',
    about: 'SIGSTOP for 2 s, twice',
    strike: (victim) => paused(victim, [2000, 2000], [100, 900], 2),
  },
];

/** How a machine's process is started. */
const STARTS: readonly Disturbance[] = [
  { name: 'none', about: 'nothing: a boot or a fork once more' },
  {
    name: 'plain-host',
    about: 'a processor without FMA, AVX, BMI and the like, for the emulator and its libraries',
    start: () => ({ plainHost: true }),
  },
  {
    name: 'no-aslr',
    about: 'memory always at the same addresses',
    obstacle: () => missing('setarch'),
    start: () => ({ prefix: ['setarch', '-R'] }),
  },
  {
    name: 'environment',
    about: 'another time zone, language, allocator and binding of symbols',
    start: (draw) => ({
      prefix: [
        'env',
        `TZ=${draw.oneOf(['Pacific/Kiritimati', 'Asia/Kathmandu', 'America/St_Johns'])}`,
        `LC_ALL=${draw.oneOf(['tr_TR.UTF-8', 'de_DE.UTF-8', 'C.UTF-8'])}`,
        `MALLOC_ARENA_MAX=${draw.between(1, 8)}`,
        `MALLOC_PERTURB_=${draw.between(1, 255)}`,
        ...(draw.chance(50) ? ['LD_BIND_NOW=1'] : []),
      ],
    }),
  },
  {
    name: 'limits',
    about: 'ulimit: small stack, few descriptors, no locked memory',
    obstacle: () => missing('prlimit'),
    start: (draw) => ({
      prefix: [
        'prlimit',
        `--stack=${draw.oneOf([1, 2, 64]) * 2 ** 20}`,
        `--nofile=${draw.between(64, 256)}`,
        '--memlock=0',
        '--',
      ],
    }),
  },
  {
    name: 'nice',
    about: 'the lowest priority',
    start: () => ({ prefix: ['nice', '-n', '19'] }),
  },
];

const ONE: readonly Disturbance[] = [...STARTS, ...PAUSES, ...OUTSIDE];

/** Two kinds at once, drawn anew for each trial. */
const TWO: Disturbance = {
  name: 'two-at-once',
  about: 'two of the others',
  strike: async (victim) => {
    const able = ONE.filter(({ strike, obstacle }) => strike && obstacle?.() === undefined);
    const first = victim.draw.oneOf(able);
    const second = victim.draw.oneOf(able.filter((each) => each !== first));
    const had = await Promise.all([first, second].map(async (each) => (await each.strike?.(victim)) ?? 0));
    return had.reduce((sum, events) => sum + events, 0);
  },
};

export const DISTURBANCES: readonly Disturbance[] = [...ONE, TWO];

function paused(
  { pid, draw, done }: Victim,
  pauseMs: readonly [number, number],
  runMs: readonly [number, number],
  most: number,
): Promise<number> {
  return pauseAgainAndAgain(pid, { pauseMs, runMs, most }, () => draw.between(0, 1000) / 1000, done);
}
