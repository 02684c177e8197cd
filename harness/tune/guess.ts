// SPDX-License-Identifier: Apache-2.0
import { bursting, disks, type Kind, type Origin, ROUND_COST, spinning, talkers, timers } from './groups.ts';
import type { Look } from './look.ts';
import { type Group, legalProfile, type Profile } from './profile.ts';

/** What a profile is made for: how the load looks, and the machine that it will run on. */
export interface GuessedFor {
  readonly look: Look;
  /** Million instructions a second of a processor. */
  readonly mips: number;
  /** How long the synthetic load shall last, seconds of the guest. */
  readonly lastsSeconds: number;
}

/**
 * A way to read the same counters: whose the long runs are. Of those who wait, of tasks that never wait, of both, or pieces of work now and
 * then, that have most of them (`bursts`) or all (`pulses`); `alone`: the few waits are those of starting and ending.
 */
type Reading = 'waiters' | 'half' | 'spinners' | 'bursts' | 'pulses' | 'alone';

/** How much of the processor time in long runs is of tasks besides those who wait. */
const APART: Readonly<Record<Reading, number>> = {
  waiters: 0,
  half: 0.5,
  spinners: 0.95,
  bursts: 0.9,
  pulses: 1,
  alone: 1,
};
/** Kinds of waits below this share of all times that a task left a processor are left out. */
const LEAST_SHARE = 0.02;

/**
 * Profiles that may look like it, best guess first: from Little's law (how many tasks are runnable at once), from what tasks sleep in,
 * from lengths of runs, and from rates of what else was counted. They differ in what counters cannot tell.
 */
export function guessProfiles(wanted: GuessedFor): Profile[] {
  const { look } = wanted;
  const origins = originsOf(look);
  const profiles = readingsOf(look).flatMap((reading) =>
    origins.map((origin) => legalProfile(guess(wanted, reading, origin))),
  );
  const different = new Map(profiles.map((profile) => [JSON.stringify(profile), profile]));
  return [...different.values()];
}

function readingsOf({ preempted, sleeps }: Look): readonly Reading[] {
  const preempts = preempted / Math.max(1, preempted + sleeps);
  if (preempts > 0.5) return ['alone', 'spinners', 'half', 'waiters'];
  if (preempts > 0.1) return ['pulses', 'waiters', 'half', 'spinners', 'bursts'];
  return ['pulses', 'bursts', 'waiters', 'half'];
}

function originsOf(look: Look): readonly Origin[] {
  const { wakes, sleeps, sleptIn, pairBits } = look;
  const moved =
    sleptIn.pipeOrSocket + sleptIn.receive > 0.4 * sleeps &&
    (pairBits > 5 || look.packetBytes > 4096 * look.packets);
  const hurried = wakes > 1.3 * sleeps && sleptIn.poll > 0.4 * sleeps;
  return moved || hurried ? ['circle', 'stream', 'source'] : ['circle', 'source'];
}

function guess(wanted: GuessedFor, reading: Reading, origin: Origin): Profile {
  const { look, mips } = wanted;
  const kinds = reading === 'alone' ? [] : kindsOf(look);
  const waits = kinds.reduce((sum, { sleeps }) => sum + sleeps, 0);
  const apartBusy = waits === 0 ? look.busy : look.longBusy * APART[reading];
  const share = look.busy > 0 ? apartBusy / look.busy : 0;
  const runnable = (look.busy + look.waited) / look.seconds;
  const perRound = waits === 0 ? 0 : (look.busy - apartBusy) / waits;
  const run = Math.max(200, perRound * mips * 1e6 - ROUND_COST);
  const groups: Group[] = [];
  for (const kind of kinds) {
    const underWay = (runnable * (1 - share) * kind.sleeps) / waits;
    if (kind.name === 'timer') groups.push(timers(kind, wanted, run));
    else if (kind.name === 'pipeOrSocket' && usesDisk(look)) groups.push(disks(kind, wanted, run));
    else groups.push(...talkers(kind, wanted, run, { underWay, origin, before: groups.length }));
  }
  const others = Math.max(1, Math.round(runnable * share));
  if ((reading === 'bursts' || reading === 'pulses') && waits > 0)
    groups.push(bursting(wanted, others, apartBusy));
  else if (share >= 0.05 || waits === 0) groups.push(spinning(wanted, others, apartBusy));
  return withChores(groups, wanted);
}

function kindsOf({ sleptIn, sleeps: slept, preempted }: Look): Kind[] {
  const least = Math.max(10, LEAST_SHARE * (slept + preempted));
  return (Object.entries(sleptIn) as [Kind['name'], number][])
    .filter(([name, sleeps]) => name !== 'child' && sleeps >= least)
    .map(([name, sleeps]) => ({ name, sleeps }));
}

function usesDisk({ bios, sleptIn, wakesByIdle, wakes }: Look): boolean {
  return bios > 0.5 * sleptIn.pipeOrSocket && wakesByIdle > 0.5 * wakes;
}

/** Faults of a child, and of the start of a program. */
const CHILD_FAULTS = 40;
const START_FAULTS = 100;

/** Faults, pages, blocks and children go to one group, so many a thousand of its rounds. */
function withChores(groups: readonly Group[], wanted: GuessedFor): Profile {
  const { look, lastsSeconds } = wanted;
  const chosen = choresOf(groups);
  return groups.map((group, at) => {
    if (at !== chosen) return group;
    const perThousand = (events: number) =>
      (1000 * Math.max(0, events) * lastsSeconds) / look.seconds / group.rounds;
    return {
      ...group,
      pages: perThousand(look.faults - CHILD_FAULTS * look.forks - START_FAULTS),
      files: perThousand(look.pages - look.faults),
      ...(groups.some(({ device }) => device === 'disk') ? {} : { reads: perThousand(look.bios) }),
      forks: perThousand(look.forks - groups.length),
      join: look.sleptIn.child > 0.3 * look.forks ? 'wait' : 'leave',
      spawn: look.sameProcess > 0.5 ? 'thread' : 'process',
      child_run: 20_000,
    };
  });
}

/** The group that has the chores: who computes for long at a time where there is one, else who does most. */
export function choresOf(groups: readonly Group[]): number {
  const weights = groups.map(({ rounds, run, link, send }) => {
    const long = (link === 'none' || link === 'timer') && send === 0 && run > 10 * ROUND_COST;
    return rounds * (run + ROUND_COST) * (long ? 10 : 1);
  });
  return weights.indexOf(Math.max(...weights));
}
