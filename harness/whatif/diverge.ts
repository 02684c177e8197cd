// SPDX-License-Identifier: Apache-2.0
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { TrialRecord, TrialState } from '../core/trial.ts';
import type { Frame } from '../lab/engine.ts';
import { compareTraces, type TraceComparison } from './compare-traces.ts';
import { type ForkedTrial, forkTrials } from './fork-trials.ts';
import type { ForkingLab } from './forking-lab.ts';
import type { Question } from './question.ts';
import { traceLines } from './trace.ts';

/** Where the futures of two policies from one state part. Plain data; what is absent is missing. */
export interface Divergence {
  readonly v: 1;
  /** Has two policies and one state. */
  readonly question: Question;
  /** Neither a switch nor a byte of what the guests sent differs. */
  readonly same: boolean;
  /** Virtual time of the fork point since power-on, nanoseconds. */
  readonly forkVirtualNs?: number;
  readonly sides: readonly [DivergedSide, DivergedSide];
  /** `left` is the first policy. Switches from the fork point to the end of the machine. */
  readonly switches: TraceComparison;
  readonly transcripts: TranscriptComparison;
}

export interface DivergedSide {
  readonly policy: string;
  readonly state: TrialState;
  readonly reason?: string;
  readonly hostSeconds: number;
  readonly transcript?: string;
}

export interface TranscriptComparison {
  readonly same: boolean;
  /** Frames that are equal from the start on. */
  readonly commonFrames: number;
  /** The first frame of each side that is not: kind and the guest's clock; absent for a side without one. */
  readonly first?: { readonly left?: FrameName; readonly right?: FrameName };
}

export interface FrameName {
  readonly kind: string;
  readonly guestNs: number;
}

/** File in a trial's folder. */
export const SWITCHES = 'switches';

/**
 * Lets two policies live on from one state and compares every context switch. Prints nothing; the traces stay in the lab's folder.
 * `keep` receives the records. Throws the signal's reason when stopped, and PmvxError when the machine cannot be looked into.
 */
export async function findDivergence(
  question: Question,
  lab: ForkingLab,
  signal: AbortSignal,
  keep: (records: readonly TrialRecord[]) => void = () => undefined,
): Promise<Divergence> {
  const [left, right, ...more] = await forkTrials(question, lab, signal, SWITCHES);
  if (left === undefined || right === undefined || more.length > 0) {
    throw new Error('a divergence is between two policies from one state');
  }
  keep([left.record, right.record]);
  const switches = await compareTraces(await traceOf(left), await traceOf(right));
  const transcripts = compareTranscripts(left, right);
  const forkVirtualNs = left.from?.virtualNs;
  return {
    v: 1,
    question,
    same: switches.first === undefined && transcripts.same,
    ...(forkVirtualNs === undefined ? {} : { forkVirtualNs }),
    sides: [sideOf(left), sideOf(right)],
    switches,
    transcripts,
  };
}

async function traceOf({
  folder,
  planned,
  record,
  from,
}: ForkedTrial): Promise<AsyncIterable<readonly string[]>> {
  const path = join(folder, SWITCHES);
  await access(path).catch(() => {
    const what = `the fork of ${planned.policy} left no trace of its context switches`;
    if (record.state === 'completed') {
      throw new PmvxError(ExitCode.image, {
        what,
        next: 'The guest kernel must tell where it switches; build the image again.',
      });
    }
    throw new PmvxError(ExitCode.incomplete, {
      what: `${what}: ${record.state}, ${record.reason}`,
      next:
        from === undefined ? 'Choose an earlier --at, or a longer run' : 'Keep its console with --out DIR',
    });
  });
  return traceLines(path);
}

function sideOf({ planned, record }: ForkedTrial): DivergedSide {
  return {
    policy: planned.policy,
    state: record.state,
    ...(record.state === 'completed' ? {} : { reason: record.reason }),
    hostSeconds: record.host.seconds,
    ...(record.transcript === undefined ? {} : { transcript: record.transcript }),
  };
}

/** Compares what two guests sent, frame by frame. */
export function compareTranscripts(
  left: Pick<ForkedTrial, 'outcome'>,
  right: Pick<ForkedTrial, 'outcome'>,
): TranscriptComparison {
  const [a, b] = [left.outcome.frames, right.outcome.frames];
  const differing = a.findIndex((frame, index) => !equal(frame, b[index]));
  const commonFrames = differing < 0 ? a.length : differing;
  const same = left.outcome.transcript === right.outcome.transcript;
  const [x, y] = [a[commonFrames], b[commonFrames]];
  if (x === undefined && y === undefined) return { same, commonFrames };
  return {
    same,
    commonFrames,
    first: {
      ...(x === undefined ? {} : { left: nameOf(x) }),
      ...(y === undefined ? {} : { right: nameOf(y) }),
    },
  };
}

function equal(a: Frame, b: Frame | undefined): boolean {
  return b !== undefined && a.kind === b.kind && a.guestNs === b.guestNs && a.payload.equals(b.payload);
}

function nameOf({ kind, guestNs }: Frame): FrameName {
  return { kind, guestNs: Number(guestNs) };
}
