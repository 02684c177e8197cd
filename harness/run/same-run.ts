// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import { type Difference, differences, formatDifference } from './differences.ts';

/** What decides the numbers of a run: all of it must be the same for a run to go on. */
export interface RunBasis {
  readonly spec: unknown;
  /** Which part of the plan; absent for a whole one. */
  readonly shard?: unknown;
  readonly plan: unknown;
  /** Digests of the image's parts; absent on `mock`. */
  readonly image?: unknown;
  /** Digest of what the spec's policies and workloads are defined as. */
  readonly definitions?: unknown;
}

const SHOWN = 3;

/** Refuses to go on with a run whose spec, plan or image has changed since: one run is one experiment. */
export function requireSameRun(folder: string, was: RunBasis, is: RunBasis): void {
  // The plan follows from the spec, so a changed spec is the news and a changed plan alone means other code.
  for (const part of ['spec', 'shard', 'plan', 'image', 'definitions'] as const) {
    const found = differences(asJson(was[part]), asJson(is[part]));
    if (found.length === 0) continue;
    throw new PmvxError(ExitCode.usage, {
      where: folder,
      what: `cannot go on with this run: its ${part} has changed (${list(found)})`,
      next: NEXT[part],
    });
  }
}

const NEXT = {
  spec: 'Put the spec and --engine back as they were, or start a new run without --resume.',
  shard: 'Give --shard as it was, or start a new run without --resume.',
  plan: 'This version plans the spec in another way; start a new run without --resume.',
  definitions:
    'A policy.yaml or workload.yaml was edited since; put it back, or start a new run without --resume.',
  image: 'Build the image of the run again, or start a new run without --resume.',
} as const;

function list(found: readonly Difference[]): string {
  const shown = found.slice(0, SHOWN).map(formatDifference).join('; ');
  return found.length > SHOWN ? `${shown}; ${found.length - SHOWN} more` : shown;
}

/** As it reads after a way through a file: members that are `undefined` are gone. */
function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
