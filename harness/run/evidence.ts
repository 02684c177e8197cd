// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { LONGEST_TEXT } from '../core/guest-text.ts';
import { type ProbeSet, type ProbeTotals, readProbes, totalCounters } from '../core/probe-counters.ts';
import type { ChangedSetting, SchedExtState } from '../core/trial.ts';
import type { FrameKind, GuestOutcome, RunResult } from '../lab/engine.ts';

// sysfs values end in a newline, which is not part of them.
const sysfs = z.string().trim().optional();
const StatePayload = z.object({
  state: sysfs,
  ops: sysfs,
  enableSeq: sysfs,
  nrRejected: sysfs,
  switchAll: sysfs,
  knobs: z
    .array(
      z.object({
        path: z.string(),
        before: z.string(),
        value: z.string(),
        restored: z.string().exactOptional(),
      }),
    )
    .optional(),
});
const ReasonPayload = z.object({ reason: z.string() });
// What the agent says of a run; a guest that says anything else has taken its place.
const count = z.int().nonnegative();
const Names = z.array(z.string().max(64)).max(256);
const ResultPayload = z.object({
  exit: z.int(),
  timedOut: z.boolean(),
  elapsedNs: count,
  forkNs: count.exactOptional(),
  activeNs: count.exactOptional(),
  allUserNs: count.exactOptional(),
  allSystemNs: count.exactOptional(),
  leftover: count.exactOptional(),
  stuck: count.exactOptional(),
  names: Names.exactOptional(),
  userNs: count,
  systemNs: count,
  voluntarySwitches: count,
  involuntarySwitches: count,
  outputBytes: count,
});
const ChangedPayload = z.object({ path: z.string(), before: z.string(), value: z.string() });
const WarmPayload = z.object({
  exit: z.int(),
  timedOut: z.boolean().default(false),
  leftover: count.exactOptional(),
  stuck: count.exactOptional(),
  names: Names.exactOptional(),
});

/** Of all other frames of one kind together: twice what the agent keeps of a log (`LOG_LIMIT`, bpf/guest/agent/agent.h). */
export const LONGEST_WORDS = 128 * 1024;

/** How many bytes the frames of one kind may have together: records keep what they say, and the memory of the host is not a guest's to fill. */
function roomOf(kind: FrameKind): number {
  // Of these the record keeps sums, or nothing.
  if (kind === 'probes' || kind === 'trace') return Number.POSITIVE_INFINITY;
  return kind === 'output' ? LONGEST_TEXT : LONGEST_WORDS;
}

/** What the frames of one guest say, read once; a member is absent when the guest never sent it. */
export interface Evidence {
  readonly refused?: string;
  readonly attached?: SchedExtState;
  readonly warm?: StepEnd;
  readonly output?: string;
  readonly result?: RunResult;
  readonly after?: SchedExtState;
  /** Settings that nobody was to change, and that changed. */
  readonly changed?: readonly ChangedSetting[];
  /** What each set of probes counted from the run's start to its end. */
  readonly probes?: { readonly [set in ProbeSet]?: ProbeTotals };
  /** How long after it was due the latest reading of probes came, ns. */
  readonly probesLateNs?: number;
  readonly policyLog: string;
  readonly kernelLog: string;
  readonly agentError?: string;
  /** A frame whose payload is not what the protocol says. */
  readonly garbled?: string;
  readonly lastFrame?: FrameKind;
  readonly guestSeconds?: number;
  /** Guest time at which the machine had booted and was quiet, seconds. */
  readonly readySeconds?: number;
}

/** How a step of the trial ended, and what it left behind. */
export type StepEnd = Pick<RunResult, 'exit' | 'timedOut' | 'leftover' | 'stuck' | 'names'>;

/**
 * Reads the frames of an outcome. A later frame of the same kind replaces an earlier one; logs and output are joined. Frames beyond what the
 * agent can have sent are not read, and make the evidence garbled.
 */
export function readEvidence(outcome: GuestOutcome): Evidence {
  const found: { -readonly [K in keyof Evidence]: Evidence[K] } = { policyLog: '', kernelLog: '' };
  const output: Buffer[] = [];
  const taken = new Map<FrameKind, number>();
  for (const frame of outcome.frames) {
    found.lastFrame = frame.kind;
    found.guestSeconds = Number(frame.guestNs) / 1e9;
    const bytes = (taken.get(frame.kind) ?? 0) + frame.payload.length;
    taken.set(frame.kind, bytes);
    if (bytes > roomOf(frame.kind)) {
      found.garbled ??= `${frame.kind}: more than ${roomOf(frame.kind)} bytes`;
      continue;
    }
    const json = <T>(schema: z.ZodType<T>): T | undefined => {
      const parsed = schema.safeParse(parseJson(frame.payload));
      if (!parsed.success) found.garbled ??= `${frame.kind}: ${excerpt(frame.payload)}`;
      return parsed.data;
    };
    switch (frame.kind) {
      case 'refused':
        found.refused = json(ReasonPayload)?.reason ?? 'no reason given';
        break;
      case 'attached':
        assign(found, 'attached', present(json(StatePayload)));
        break;
      case 'after':
        assign(found, 'after', present(json(StatePayload)));
        break;
      case 'warm': {
        const warm = json(WarmPayload);
        assign(found, 'warm', warm);
        break;
      }
      case 'result':
        assign(found, 'result', json(ResultPayload));
        break;
      case 'probes': {
        const readings = readProbes(frame.payload);
        if (readings === undefined) found.garbled ??= `probes: ${excerpt(frame.payload)}`;
        else {
          found.probes = { ...found.probes, [readings.set]: totalCounters(readings) };
          assign(found, 'probesLateNs', readings.lateNs);
        }
        break;
      }
      case 'changed': {
        const setting = json(ChangedPayload);
        if (setting !== undefined) found.changed = [...(found.changed ?? []), setting];
        break;
      }
      case 'ready':
        found.readySeconds = found.guestSeconds;
        break;
      case 'error':
        found.agentError = json(ReasonPayload)?.reason ?? 'no reason given';
        break;
      case 'output':
        output.push(frame.payload);
        break;
      case 'policy-log':
        found.policyLog += frame.payload.toString('utf8');
        break;
      case 'klog':
        found.kernelLog += frame.payload.toString('utf8');
        break;
    }
  }
  if (output.length > 0) found.output = Buffer.concat(output).toString('utf8');
  return found;
}

/** The first and last lines of a text that are not blank, `count` in all, and between them how many are left out. */
export function headAndTail(text: string, count: number): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length <= count) return lines.join('\n');
  const half = Math.floor(count / 2);
  const between = `[pmvx: ${lines.length - 2 * half} lines left out]`;
  return [...lines.slice(0, half), between, ...lines.slice(-half)].join('\n');
}

/** The last `count` lines of a text that are not blank; a serial console ends each with a carriage return, too. */
export function lastLines(text: string, count: number): string {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');
}

function assign<T extends object, K extends keyof T>(target: T, key: K, value: T[K] | undefined): void {
  if (value !== undefined) target[key] = value;
}

/** Drops members that are `undefined`: absent is absent. */
function present(state: z.infer<typeof StatePayload> | undefined): SchedExtState | undefined {
  return state && Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}

function excerpt(payload: Buffer): string {
  return JSON.stringify(payload.subarray(0, 80).toString('utf8'));
}
