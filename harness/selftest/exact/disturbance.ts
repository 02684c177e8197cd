// SPDX-License-Identifier: Apache-2.0
import type { Draw } from '../draw.ts';

/** A machine that runs, and is to be disturbed. */
export interface Victim {
  /** The process that is, or in a moment becomes, QEMU. */
  readonly pid: number;
  readonly draw: Draw;
  /** Aborted when the machine has ended, or nobody wants to know any more. */
  readonly done: AbortSignal;
}

/** One way in which a host disturbs a machine. What it changes it puts back before it ends. */
export interface Disturbance {
  readonly name: string;
  readonly about: string;
  /** Why it cannot be done on this host; undefined when it can. */
  obstacle?(): string | undefined;
  /** How the machine is started. */
  start?(draw: Draw): { readonly plainHost?: boolean; readonly prefix?: readonly string[] };
  /** Disturbs until `done`; resolves with how often it did. */
  strike?(victim: Victim): Promise<number>;
}
