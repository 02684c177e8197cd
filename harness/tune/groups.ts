// SPDX-License-Identifier: Apache-2.0
import type { GuessedFor } from './guess.ts';
import type { Look } from './look.ts';
import { type Group, USUAL } from './profile.ts';

/** Waits of one kind. */
export interface Kind {
  readonly name: keyof Look['sleptIn'];
  readonly sleeps: number;
}

/**
 * Where messages come from: from a circle, which never rests; from a timer, which sends some at once; from tasks that send
 * as fast as they can.
 */
export type Origin = 'circle' | 'source' | 'stream';

/** So many messages under way are a circle's; fewer come from a timer, whatever the origin. */
const CIRCLE_FROM: Readonly<Record<Exclude<Origin, 'stream'>, number>> = { circle: 0.2, source: 1.2 };
/** Kernel's part of a round with one message: two system calls and a switch, instructions. */
export const ROUND_COST = 6000;
/** A piece of computing of a task that never waits, seconds. */
const PIECE_SECONDS = 0.001;
/** Sources that send some at once do so as often, a second. */
const SENDS_A_SECOND = 60;
const SMALL_RUN = 2000;

function roundsOf(perWindow: number, { look, lastsSeconds }: GuessedFor): number {
  return Math.max(1, Math.round((perWindow * lastsSeconds) / look.seconds));
}

/** Tasks that wait for timers. */
export function timers({ sleeps }: Kind, wanted: GuessedFor, run: number): Group {
  const { look, mips } = wanted;
  const tasks = Math.max(1, Math.min(8, Math.round(2 ** (look.pairBits / 2))));
  const sleep = Math.max(50, (tasks * look.seconds * 1e6) / sleeps - run / mips);
  return { ...USUAL, tasks, link: 'timer', sleep, run, rounds: roundsOf(sleeps, wanted) };
}

/** Tasks that wait for a block device. */
export function disks({ sleeps }: Kind, wanted: GuessedFor, run: number): Group {
  const tasks = Math.max(1, Math.round(2 ** wanted.look.pairBits * 0.7));
  const how = { as: 'process', reads: 1000, device: 'disk' } as const;
  return { ...USUAL, ...how, tasks, run, rounds: roundsOf(sleeps, wanted) };
}

/** Tasks that send messages to each other, or get them. */
export function talkers(
  kind: Kind,
  wanted: GuessedFor,
  run: number,
  {
    underWay,
    origin,
    before,
  }: { readonly underWay: number; readonly origin: Origin; readonly before: number },
): Group[] {
  const { look } = wanted;
  const { pairBits } = look;
  const many = pairBits > 5;
  // Part of the variety is the kernel's own and that of what goes on beside.
  const tasks = Math.min(
    64,
    Math.max(2, Math.round(many ? 1.2 * 2 ** (pairBits / 2) : 2 ** (pairBits - 0.7))),
  );
  const how = channelOf(kind.name, look);
  const rounds = roundsOf(kind.sleeps, wanted);
  const base: Group = { ...USUAL, ...how, tasks, run, to: many ? 'any' : 'next', rounds };
  if (origin === 'stream') {
    const half = Math.max(1, Math.round(tasks / 2));
    const sender: Group = {
      ...USUAL,
      as: base.as,
      tasks: kind.name === 'poll' ? 1 : half,
      run: run / 2,
      send: before + 2,
      to: base.to,
      rounds,
    };
    return [sender, { ...base, tasks: half, run: run / 2 }];
  }
  if (underWay >= CIRCLE_FROM[origin]) {
    const tokens = Math.max(1, Math.round(underWay));
    return [{ ...base, send: before + 1, tokens, tasks: Math.max(tasks, tokens + (tokens > 1 ? 1 : 0)) }];
  }
  return [pacedBy(kind.sleeps / look.seconds, base, before + 2), base];
}

/** A timer that sends so many messages a second to the group with this number, some at once. */
export function pacedBy(rate: number, { as, to, rounds }: Group, send: number): Group {
  const fan = Math.min(64, Math.max(1, Math.round(rate / SENDS_A_SECOND)));
  const how = { link: 'timer', pace: 'open', counts: 0 } as const;
  return {
    ...USUAL,
    ...how,
    as,
    to,
    send,
    fan,
    run: SMALL_RUN,
    sleep: (fan / rate) * 1e6,
    rounds: Math.max(1, Math.round(rounds / fan)),
  };
}

/** Tells from sockets, packets and synchronous wake-ups by what tasks talk. */
function channelOf(name: Kind['name'], look: Look): Pick<Group, 'as' | 'link' | 'call' | 'bytes'> {
  const as = name === 'futex' || look.sameProcess > 0.7 ? 'thread' : 'process';
  if (name === 'futex') return { as, link: 'futex', call: 'read', bytes: USUAL.bytes };
  const call = name === 'poll' ? 'epoll' : name === 'receive' ? 'recv' : 'read';
  if (look.packets > 0.1 * look.sleeps) {
    return { as, link: 'tcp', call, bytes: Math.max(1, (look.packetBytes / look.packets - 60) * 1.5) };
  }
  const unix = look.unixCalls > 0.5 * look.socketCalls && look.socketCalls > 0.1 * look.sleeps;
  if (unix || name === 'receive') return { as, link: 'unix', call, bytes: 64 };
  const told = name === 'poll' ? 0.3 : 0.2;
  return { as, link: look.sync < told ? 'event' : 'pipe', call, bytes: USUAL.bytes };
}

/** Tasks that never wait. */
export function spinning(wanted: GuessedFor, tasks: number, busy: number): Group {
  const run = PIECE_SECONDS * wanted.mips * 1e6;
  return { ...USUAL, tasks, as: 'process', run, rounds: roundsOf(busy / PIECE_SECONDS, wanted) };
}

/** Tasks that compute for long now and then. */
export function bursting(wanted: GuessedFor, tasks: number, busy: number): Group {
  const { look, mips } = wanted;
  const bursts = Math.max(1, look.longRuns);
  const how = { as: 'process', link: 'timer', pace: 'open' } as const;
  return {
    ...USUAL,
    ...how,
    tasks,
    sleep: (tasks * look.seconds * 1e6) / bursts,
    run: (busy / bursts) * mips * 1e6,
    rounds: roundsOf(bursts, wanted),
  };
}
