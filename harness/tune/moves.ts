// SPDX-License-Identifier: Apache-2.0
import { pacedBy } from './groups.ts';
import { type Group, type Profile, USUAL } from './profile.ts';

/** A change of a profile. */
export interface Move {
  readonly name: string;
  /** Whether half of it, or its opposite, makes sense; else it is made or not. */
  readonly graded: boolean;
  /** By so many steps; 1 is what was tried. */
  apply(profile: Profile, steps: number): Profile;
}

/** A step is a factor for lengths. */
const STEP = 1.6;
/** Messages a second where nothing says how many. */
const PACED_RATE = 500;
/** Pieces of computing that are one, of a task that rests after it. */
const PIECES = 20;

/** All changes that may bring a profile nearer to what is wanted; first those of the groups that do most, and lengths before habits. */
export function movesOf(profile: Profile): Move[] {
  const weights = profile.map(({ rounds, run }) => rounds * (run + 6000));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const ranked = profile.flatMap((group, at) => {
    const rank = 6 * (1 - (weights[at] as number) / total);
    return groupMoves(group, at, profile).map((move, place) => ({ move, rank: rank + place }));
  });
  return [...ranked.toSorted((a, b) => a.rank - b.rank).map(({ move }) => move), ...wholeMoves(profile)];
}

/** Changes of one group, the most promising first. */
function groupMoves(group: Group, at: number, profile: Profile): Move[] {
  const { link, send, fan, tasks, tokens } = group;
  const source = link === 'timer' && profile[send - 1]?.send === 0;
  const moves: (Move | false)[] = [
    !source && group.run > 0 && scaled(at, 'run'),
    link === 'none' && counted(at, 'tasks', 1),
    tokens > 0 && counted(at, 'tokens', Math.max(1, Math.round(tokens / 3))),
    source && fan > 1 && both(at, 'fan', 'sleep'),
    link === 'timer' && scaled(at, 'sleep'),
    link !== 'none' && !source && spread(at, group),
    link !== 'none' && !source && scaled(at, 'tasks'),
    tokens > 0 && once(at, 'paced', (before) => paced(before, at)),
    tokens > 0 && switched(at, 'to', { to: group.to === 'any' ? 'next' : 'any' }),
    link === 'none' && send === 0 && rests(at),
    link === 'timer' &&
      !source &&
      switched(at, 'first', group.class === 'fifo' ? { class: 'other', pin: 0 } : { class: 'fifo', pin: 1 }),
    link !== 'none' &&
      tasks > 1 &&
      !source &&
      switched(at, 'as', { as: group.as === 'thread' ? 'process' : 'thread' }),
    group.forks > 0 && scaled(at, 'child_run'),
    group.forks > 0 && switched(at, 'join', { join: group.join === 'wait' ? 'leave' : 'wait' }),
  ];
  return moves.filter((move) => move !== false);
}

/** A task that never waits comes to those that have none; a group that nobody needs goes. */
function wholeMoves(profile: Profile): Move[] {
  const last = profile.length - 1;
  const group = profile[last];
  const needless = last > 0 && group?.send === 0 && (group.link === 'none' || group.link === 'timer');
  const spinner: Group = { ...USUAL, as: 'process', run: 250_000, rounds: 50, counts: 0 };
  const ticks = profile.filter(({ link, run }) => link === 'timer' && run <= TICK_RUN).length;
  return [
    ...(ticks > 0 || profile.length === 16 ? [] : [ticker()]),
    ...(profile.some(({ link }) => link === 'none')
      ? []
      : [once(last, 'spinner', (before) => [...before, spinner])]),
    ...(needless ? [once(last, 'away', (before) => before.filter((_, at) => at !== last))] : []),
  ];
}

/** A task that wakes up every few milliseconds and does next to nothing, as what watches others does; steps say how often. */
function ticker(): Move {
  return {
    name: 'ticker',
    graded: true,
    apply: (profile, steps) => {
      if (steps <= 0) return profile;
      const sleep = TICK_US / steps;
      const lasts = Math.max(...profile.map(durationUs));
      const tick: Group = { ...USUAL, as: 'process', link: 'timer', sleep, run: TICK_RUN, counts: 0 };
      return [...profile, { ...tick, rounds: Math.max(1, Math.round(lasts / sleep)) }];
    },
  };
}

const TICK_US = 3000;
const TICK_RUN = 5000;

/** At least, as a timer says; a second where none does. */
function durationUs({ link, sleep, rounds, tasks }: Group): number {
  return link === 'timer' ? (sleep * rounds) / tasks : 1e6;
}

function once(at: number, name: string, change: (profile: Profile) => Profile): Move {
  return {
    name: `${at + 1} ${name}`,
    graded: false,
    apply: (profile, steps) => (steps > 0 ? change(profile) : profile),
  };
}

function change(profile: Profile, at: number, by: (group: Group) => Partial<Group>): Profile {
  return profile.map((group, each) => (each === at ? { ...group, ...by(group) } : group));
}

type Length = 'run' | 'sleep' | 'tasks' | 'fan' | 'child_run';

function scaled(at: number, key: Length): Move {
  return {
    name: `${at + 1} ${key}`,
    graded: true,
    apply: (profile, steps) => change(profile, at, (group) => ({ [key]: group[key] * STEP ** steps })),
  };
}

function both(at: number, one: Length, other: Length): Move {
  return {
    name: `${at + 1} ${one} and ${other}`,
    graded: true,
    apply: (profile, steps) =>
      change(profile, at, (group) => ({
        [one]: group[one] * STEP ** steps,
        [other]: group[other] * STEP ** steps,
      })),
  };
}

function counted(at: number, key: 'tasks' | 'tokens', by: number): Move {
  return {
    name: `${at + 1} ${key} +${by}`,
    graded: true,
    apply: (profile, steps) =>
      change(profile, at, (group) => ({ [key]: Math.max(1, Math.round(group[key] + by * steps)) })),
  };
}

function switched(at: number, name: string, to: Partial<Group>): Move {
  return {
    name: `${at + 1} ${name}`,
    graded: false,
    apply: (profile, steps) => (steps > 0 ? change(profile, at, () => to) : profile),
  };
}

/** Tasks that never wait rest now and then, long enough that processors run dry. */
function rests(at: number): Move {
  return once(at, 'rests', (profile) =>
    change(profile, at, ({ run, rounds, pages, files, reads, forks }) => ({
      ...{ link: 'timer', pace: 'closed', sleep: 8000, run: run * PIECES, rounds: rounds / PIECES },
      ...{ pages: pages * PIECES, files: files * PIECES, reads: reads * PIECES, forks: forks * PIECES },
    })),
  );
}

/** Lengths of two kinds with the same mean: one in ten is long. */
function spread(at: number, group: Group): Move {
  if (group.run_long_of > 0)
    return switched(at, 'even', { run: group.run * 0.9 + group.run_long * 0.1, run_long_of: 0, run_long: 0 });
  return switched(at, 'spread', { run: group.run * 0.45, run_long: group.run * 5.95, run_long_of: 100 });
}

/** What goes round in a circle comes from a timer instead: fewer at once than one. */
function paced(profile: Profile, at: number): Profile {
  const group = profile[at];
  if (group === undefined || group.tokens === 0 || profile.length === 16) return profile;
  const sink = { ...group, tokens: 0, send: 0 };
  const source = { ...pacedBy(PACED_RATE, group, at + 1), rounds: Math.max(1, Math.round(group.rounds / 8)) };
  return [...profile.map((each, index) => (index === at ? sink : each)), source];
}
