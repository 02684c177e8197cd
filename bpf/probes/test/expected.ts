// SPDX-License-Identifier: GPL-2.0-only
/**
 * What known-events (known-events.c) adds to counters when it is told to do `more` events of each kind but `connections`, and so many
 * more connections: counter by counter, `name[bucket]` of a histogram or table. Each counter is one that nothing else on a quiet
 * machine moves.
 */
export interface Expected {
  readonly [set: string]: Readonly<Record<string, number>>;
}

/** Kinds that go together. The first leaves the program on one CPU, which only `moves` takes it away from. */
export const KINDS = ['handover', 'faults', 'forks', 'naps', 'moves', 'local', 'datagrams', 'block', 'calls'];

/** Of the kernel's numbers: classes of system calls as the members of struct pmvx_calls. */
const SLEEP = 12;
const LOG2_4096 = 13;
const ESTABLISHED = 1;

/** Of `mem`, what a processor's stale translation of an address adds a little to, and other programs of the system do not always do alike: nearly `n`. */
export const NEARLY = ['fault_user', 'fault_user_write'] as const;

/** Sleeps in read: a handover's thread always, who reads the device unless it was faster than going to sleep. */
export const SLEEPS_IN_READ = 'sleep_in[1]';

/** Of `n` more events of each of KINDS. */
export function expectedOfKinds(n: number): Expected {
  return {
    cpu: {
      [`sleep_in[${SLEEP}]`]: n,
      wake_same_process: n,
      fork: n,
    },
    io: { read_bytes: 4096 * n, issue_read: n, bio: n, bio_bytes: 4096 * n, [`size[${LOG2_4096}]`]: n },
    net: {
      send: 2 * n,
      send_bytes: 30 * n,
      send_unix: n,
      send_fail: 0,
      receive_call: 2 * n,
      receive_call_bytes: 30 * n,
      receive_call_unix: n,
      // A datagram of 20 bytes with 8 of UDP, 20 of IP and 14 of Ethernet, which the receiver no longer sees.
      transmit: n,
      transmit_bytes: 62 * n,
      receive: n,
      receive_bytes: 48 * n,
    },
    calls: {
      read: 2 * n,
      write: 2 * n,
      send: 2 * n,
      receive: 2 * n,
      epoll: n,
      poll: n,
      futex_wake: n,
      futex_wait: 0,
      sleep: n,
      wait: n,
    },
  };
}

/** Of `n` more connections: both ends of each become established. */
export function expectedOfConnections(n: number): Expected {
  return { net: { [`tcp_state[${ESTABLISHED}]`]: 2 * n, send: 0 }, calls: { connect: 2 * n } };
}
