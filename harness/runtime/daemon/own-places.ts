// SPDX-License-Identifier: Apache-2.0
import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type Lock, takeLocks } from './lock.ts';

/** All that a daemon writes to, or answers at. */
export interface OwnPlaces {
  /** The folder of what is kept. */
  readonly state: string;
  readonly socket: string;
  readonly journal: string;
  readonly queue?: string | undefined;
  readonly metrics?: string | undefined;
  /** Of the one daemon that may act on this machine; absent: a dry run, which does not. */
  readonly machine?: string | undefined;
}

/**
 * Makes these places this daemon's alone, a dry run's as well: of a file or socket that another one has, that one would lose its kill switch or its
 * records. Throws with the place and who has it.
 */
export function ownPlaces({ state, socket, journal, queue, metrics, machine }: OwnPlaces): Lock {
  const files = [socket, journal, queue, metrics === undefined ? undefined : fileOf(metrics)];
  // What is in the folder is the folder's owner's.
  const outside = files.filter((path) => path !== undefined).filter((path) => !isWithin(state, path));
  const locks = [join(state, 'lock'), ...outside.map((path) => `${real(path)}.lock`)];
  return takeLocks(
    machine === undefined ? locks : [...locks, real(machine)],
    'pmvx autotune status shows it; give another place with --state, --socket, --journal or --metrics',
  );
}

/** The file or socket of metrics; undefined where they are served at a port. */
function fileOf(metrics: string): string | undefined {
  if (metrics.startsWith('unix:')) return metrics.slice(5);
  return /^(?:\[?[^[\]/]*\]?):\d{1,5}$/.test(metrics) ? undefined : metrics;
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(real(folder), real(path));
  return !way.startsWith('..') && !isAbsolute(way);
}

/** Two ways to one place are one: links in the folder's path are followed. */
function real(path: string): string {
  const whole = resolve(path);
  try {
    return join(realpathSync(dirname(whole)), basename(whole));
  } catch {
    return whole;
  }
}
