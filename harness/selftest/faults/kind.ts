// SPDX-License-Identifier: Apache-2.0
import type { Draw } from '../draw.ts';

/** What a fault is done to: a run on the engine `mock` or `exact`, a policy map that learns, an image that is built. */
export const SUBJECTS = ['mock', 'exact', 'map', 'builder'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** What one disturbed piece of work came to, against an undisturbed one. */
export interface Outcome {
  /** What was done to it, and when: `killed with SIGKILL after 5 of 24 records`. */
  readonly what: string;
  /** Faults that were injected. */
  readonly faults: number;
  /** Times that it had to be gone on with. */
  readonly resumes: number;
  /** What the program asked the user for, when it could not go on by itself; that was done then. */
  readonly told?: string;
  /** Records that were there before and are not any more, though nobody had damaged them. */
  readonly lost: number;
  /** Records that differ from the undisturbed ones in anything but the host. */
  readonly changed: number;
  /** Processes that were still there afterwards. */
  readonly orphans: number;
  /** Temporary files that were left: beside results, in the cache, in TMPDIR. */
  readonly leaked: readonly string[];
  /** Why the result is not that of an undisturbed one; absent when it is, to the byte. */
  readonly fault?: string;
}

/** Where a fault happens. */
export interface Stage {
  /** A new folder of its own. */
  readonly folder: string;
  readonly draw: Draw;
}

/** One way to disturb. */
export interface Kind {
  readonly name: string;
  readonly about: string;
  readonly subject: Subject;
  /** How often it is chosen among those of its subject. */
  readonly weight: number;
  /** Why it cannot be done on this host; undefined when it can. */
  obstacle?(): string | undefined;
  run(stage: Stage): Promise<Outcome>;
}
