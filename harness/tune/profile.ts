// SPDX-License-Identifier: Apache-2.0

/** A group of tasks that behave alike: the keys of a line of a profile, which `workloads/synth/profile.h` explains. */
export interface Group {
  readonly tasks: number;
  readonly as: 'thread' | 'process';
  readonly link: 'none' | 'timer' | 'futex' | 'event' | 'pipe' | 'unix' | 'tcp';
  readonly call: 'read' | 'recv' | 'poll' | 'epoll';
  readonly pace: 'closed' | 'open';
  /** us. */
  readonly sleep: number;
  readonly sleep_long: number;
  readonly sleep_long_of: number;
  /** Instructions. */
  readonly run: number;
  readonly run_long: number;
  readonly run_long_of: number;
  readonly touch_kib: number;
  readonly pages: number;
  readonly files: number;
  readonly reads: number;
  readonly writes: number;
  readonly block_kib: number;
  readonly device: 'root' | 'disk';
  readonly forks: number;
  readonly spawn: 'thread' | 'process';
  readonly join: 'wait' | 'leave';
  readonly child_run: number;
  readonly child_pages: number;
  readonly yields: number;
  /** Number of a group, from 1; 0 for none. */
  readonly send: number;
  readonly to: 'next' | 'any' | 'same';
  readonly fan: number;
  readonly bytes: number;
  readonly depth: number;
  readonly tokens: number;
  readonly class: 'other' | 'batch' | 'idle' | 'fifo';
  readonly pin: 0 | 1;
  readonly rounds: number;
  readonly counts: 0 | 1;
}

export type Profile = readonly Group[];

/** What a group has of what its line does not name, and the order of keys in a line. */
export const USUAL: Group = {
  tasks: 1,
  as: 'thread',
  link: 'none',
  call: 'read',
  pace: 'closed',
  sleep: 1000,
  sleep_long: 1000,
  sleep_long_of: 0,
  run: 10_000,
  run_long: 0,
  run_long_of: 0,
  touch_kib: 0,
  pages: 0,
  files: 0,
  reads: 0,
  writes: 0,
  block_kib: 4,
  device: 'root',
  forks: 0,
  spawn: 'process',
  join: 'wait',
  child_run: 10_000,
  child_pages: 0,
  yields: 0,
  send: 0,
  to: 'next',
  fan: 1,
  bytes: 8,
  depth: 64,
  tokens: 0,
  class: 'other',
  pin: 0,
  rounds: 1,
  counts: 1,
};

/** Least and most that the driver takes of each number. */
export const LIMITS = {
  tasks: [1, 256],
  sleep: [1, 10_000_000],
  sleep_long: [1, 10_000_000],
  sleep_long_of: [0, 1000],
  run: [0, 1_000_000_000],
  run_long: [0, 1_000_000_000],
  run_long_of: [0, 1000],
  touch_kib: [0, 65_536],
  pages: [0, 1_000_000],
  files: [0, 1_000_000],
  reads: [0, 100_000],
  writes: [0, 100_000],
  block_kib: [4, 1024],
  forks: [0, 10_000],
  child_run: [0, 1_000_000_000],
  child_pages: [0, 4096],
  yields: [0, 100_000],
  send: [0, 16],
  fan: [1, 64],
  bytes: [1, 65_536],
  depth: [1, 64],
  tokens: [0, 1024],
  pin: [0, 1],
  rounds: [1, 100_000_000],
  counts: [0, 1],
} as const satisfies Partial<Record<keyof Group, readonly [number, number]>>;

/** Bytes that may be under way in a circle, and what a message takes at least. */
const FLIGHT_BYTES = 65_536;
const LEAST_BYTES = 512;

/**
 * The profile within what the driver takes: numbers whole and within their limits, and no more under way in a circle than there is room
 * for, or everybody would wait for room.
 */
export function legalProfile(profile: Profile): Profile {
  return profile.map((group) => {
    const whole = Object.fromEntries(
      (Object.keys(USUAL) as (keyof Group)[]).map((key) => [key, legal(key, group[key])]),
    ) as unknown as Group;
    if (whole.tokens === 0 || whole.link === 'event') return whole;
    if (whole.link === 'futex') return { ...whole, tokens: Math.min(whole.tokens, whole.depth) };
    const tokens = Math.min(whole.tokens, FLIGHT_BYTES / LEAST_BYTES);
    return { ...whole, tokens, bytes: Math.min(whole.bytes, Math.floor(FLIGHT_BYTES / tokens)) };
  });
}

/** The text of a legal profile. */
export function formatProfile(profile: Profile, comment: string): string {
  const lines = profile.map((group) => {
    const words = (Object.keys(USUAL) as (keyof Group)[]).flatMap((key) => {
      const value = group[key];
      return value === USUAL[key] ? [] : [`${key}=${value}`];
    });
    return ['group', ...words].join(' ');
  });
  return ['pmvx-synth 1', `# ${comment}`, ...lines, ''].join('\n');
}

function legal(key: keyof Group, value: string | number): string | number {
  if (typeof value === 'string') return value;
  const [least, most] = LIMITS[key as keyof typeof LIMITS];
  return Math.min(most, Math.max(least, Math.round(value)));
}
