// SPDX-License-Identifier: Apache-2.0
import { extractMetrics } from '../core/extract.ts';
import type { PolicyDefinition } from '../core/policy.ts';
import type { ProbeSet } from '../core/probe-counters.ts';
import type { EngineName, HostOfTrial, PlannedTrial, TrialRecord, Usage } from '../core/trial.ts';
import type { WorkloadDefinition } from '../core/workload.ts';
import type { GuestOutcome, RunResult } from '../lab/engine.ts';
import { type Evidence, lastLines, readEvidence } from './evidence.ts';
import { DIED, PANIC, STOPPED } from './machine-lost.ts';
import { withTimeAfter } from './time-after.ts';
import { ejection, oneLine, refusal, type Verdict } from './verdict.ts';

export interface JudgeContext {
  readonly run: string;
  readonly engine: EngineName;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** 1, or 2 when the machine itself died the first time. */
  readonly attempt: number;
  /** Names the host. */
  readonly fingerprint?: string;
  /** Sets of probes that the guest was told to run. */
  readonly probes?: readonly ProbeSet[];
}

const CONSOLE_LINES = 30;
/** Of these, how many stand before the line that says that the kernel gave up. */
const LINES_BEFORE_PANIC = 8;

/**
 * Turns what a guest left behind into exactly one state. Pure: the same outcome gives the same record.
 *
 * A dead machine comes first (its frames are cut short), then whether the policy was there at all, then whether it
 * stayed, and only then how the workload ended: a result under a scheduler that was ejected is not a result.
 */
export function judge(
  planned: PlannedTrial,
  workload: WorkloadDefinition,
  policy: PolicyDefinition,
  outcome: GuestOutcome,
  context: JudgeContext,
): TrialRecord {
  const seen = readEvidence(outcome);
  const facts = factsOf(planned, outcome, context, seen);
  const bad =
    died(outcome, seen) ??
    refusal(policy, seen) ??
    ejection(policy, seen, outcome.consoleTail) ??
    stopped(outcome, seen) ??
    unproven(policy, seen, outcome) ??
    uncounted(context, seen, outcome) ??
    misplaced(planned, seen, outcome) ??
    ranBadly(workload, seen);
  if (bad !== undefined) return { ...facts, ...bad };
  const read = extractMetrics(workload, seen.output ?? '');
  if (!read.ok) return { ...facts, state: 'failed', reason: read.reason };
  const metrics = seen.result ? withTimeAfter(read.metrics, workload, seen.result) : read.metrics;
  return { ...facts, state: 'completed', metrics };
}

function factsOf(planned: PlannedTrial, outcome: GuestOutcome, context: JudgeContext, seen: Evidence) {
  const { trial, block, seed, workload, variant, point, policy, role } = planned;
  return {
    v: 1 as const,
    run: context.run,
    trial,
    block,
    seed: seed as number,
    workload,
    variant,
    point,
    policy,
    role,
    engine: context.engine,
    ...(seen.attached === undefined ? {} : { schedBefore: seen.attached }),
    ...(seen.after === undefined ? {} : { schedAfter: seen.after }),
    ...(seen.result === undefined
      ? {}
      : {
          exitStatus: seen.result.exit,
          usage: usageOf(seen.result),
          outputBytes: seen.result.outputBytes,
        }),
    ...(seen.probes === undefined ? {} : { probes: seen.probes }),
    ...(seen.output === undefined ? {} : { output: seen.output }),
    transcript: outcome.transcript,
    ...(seen.guestSeconds === undefined ? {} : { guestSeconds: seen.guestSeconds }),
    host: hostOf(outcome, context),
  };
}

function hostOf(
  { hostSeconds, joules }: GuestOutcome,
  { startedAt, attempt, fingerprint }: JudgeContext,
): HostOfTrial {
  return {
    ...{ startedAt, seconds: hostSeconds, attempt },
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(joules === undefined ? {} : { joules }),
  };
}

function usageOf({ elapsedNs, userNs, systemNs, voluntarySwitches, involuntarySwitches }: RunResult): Usage {
  return { elapsedNs, userNs, systemNs, voluntarySwitches, involuntarySwitches };
}

/** The guest panicked, its agent gave up, or the VM ended before the guest was done. */
function died(outcome: GuestOutcome, seen: Evidence): Verdict | undefined {
  const panic = PANIC.exec(outcome.consoleTail)?.[0];
  if (panic !== undefined) return crashed(panic, outcome);
  if (seen.agentError !== undefined) return crashed(`guest agent: ${seen.agentError}`, outcome);
  if (outcome.ended === 'died') {
    const where = seen.lastFrame === undefined ? 'before its first word' : `after "${seen.lastFrame}"`;
    return crashed(`${DIED} ${where}: ${outcome.cause ?? 'no cause known'}`, outcome);
  }
  if (seen.garbled === undefined) return undefined;
  return crashed(`the guest sent a frame that cannot be read: ${seen.garbled}`, outcome);
}

/** The host stopped a guest that hung. */
function stopped(outcome: GuestOutcome, seen: Evidence): Verdict | undefined {
  if (outcome.ended !== 'deadline') return undefined;
  const where = seen.lastFrame === undefined ? 'it never spoke' : `its last word was "${seen.lastFrame}"`;
  const seconds = Math.round(outcome.hostSeconds);
  return withConsole('timed-out', `${STOPPED} ${seconds} s of host time; ${where}`, outcome);
}

/** A guest that ended well has said that its policy was active before the run and after it, and how the run ended. */
function unproven(policy: PolicyDefinition, seen: Evidence, outcome: GuestOutcome): Verdict | undefined {
  const absent = (['attached', 'result', 'after'] as const).find((kind) => seen[kind] === undefined);
  if (absent === undefined) return undefined;
  const subject = 'ops' in policy ? `"${policy.ops}"` : SUBJECTS[policy.kind];
  return crashed(
    `the guest ended without its "${absent}" frame, so nothing is proven about ${subject}`,
    outcome,
  );
}

/** Probes that were asked for must have counted: a trial without them is not the one that was planned. */
function uncounted(context: JudgeContext, seen: Evidence, outcome: GuestOutcome): Verdict | undefined {
  const absent = context.probes?.filter((set) => seen.probes?.[set] === undefined) ?? [];
  if (absent.length === 0 || seen.result === undefined) return undefined;
  return crashed(`the guest ended without a word of its probes ${absent.join(', ')}`, outcome);
}

/** The policy must have taken over where the plan says: before the run, or in it and before its end. */
function misplaced(planned: PlannedTrial, seen: Evidence, outcome: GuestOutcome): Verdict | undefined {
  if (seen.result === undefined) return undefined;
  const { forkNs, elapsedNs } = seen.result;
  const inRun = planned.point !== 'quiescent';
  if (inRun && forkNs === undefined) {
    return crashed(`the guest does not say when the policy took over; planned was ${planned.point}`, outcome);
  }
  if (forkNs === undefined) return undefined;
  const at = `the guest says that the policy took over after ${forkNs / 1e9} s of the run`;
  if (!inRun) return crashed(`${at}; planned was ${planned.point}`, outcome);
  if (forkNs <= elapsedNs) return undefined;
  return crashed(`${at}, which lasted ${elapsedNs / 1e9} s`, outcome);
}

const SUBJECTS = { builtin: 'the built-in scheduler', knob: 'the settings' } as const;

function ranBadly(workload: WorkloadDefinition, seen: Evidence): Verdict | undefined {
  return (
    (seen.warm && badExit(workload, seen.warm, 'warm-up: ')) ??
    (seen.result && badExit(workload, seen.result, ''))
  );
}

function badExit(
  workload: WorkloadDefinition,
  ran: Pick<RunResult, 'exit' | 'timedOut'>,
  stage: string,
): Verdict | undefined {
  if (ran.timedOut) {
    return {
      state: 'timed-out',
      reason: `${stage}still running after ${workload.deadline_s} s of guest time`,
    };
  }
  if (ran.exit === 0) return undefined;
  const signal = ran.exit > 128 ? ` (signal ${ran.exit - 128})` : '';
  return { state: 'failed', reason: `${stage}exit status ${ran.exit}${signal}` };
}

function crashed(reason: string, outcome: GuestOutcome): Verdict {
  return withConsole('crashed', reason, outcome);
}

function withConsole(state: 'crashed' | 'timed-out', reason: string, outcome: GuestOutcome): Verdict {
  const tail = consoleLines(outcome.consoleTail);
  return { state, reason: oneLine(reason), ...(tail === '' ? {} : { detail: tail }) };
}

/** The console's end, or what surrounds a panic: the trace that follows it may be longer than all that is kept. */
function consoleLines(consoleTail: string): string {
  const lines = lastLines(consoleTail, Number.POSITIVE_INFINITY).split('\n');
  const panic = lines.findIndex((line) => PANIC.test(line));
  const from =
    panic < 0 ? Math.max(0, lines.length - CONSOLE_LINES) : Math.max(0, panic - LINES_BEFORE_PANIC);
  return lines.slice(from, from + CONSOLE_LINES).join('\n');
}
