// SPDX-License-Identifier: Apache-2.0
import { extractMetrics } from '../core/extract.ts';
import { forkPointMs } from '../core/fork-point.ts';
import type { PolicyDefinition } from '../core/policy.ts';
import type { ProbeSet } from '../core/probe-counters.ts';
import type { EngineName, HostOfTrial, PlannedTrial, TakeOver, TrialRecord, Usage } from '../core/trial.ts';
import { type WorkloadDefinition, warmSeconds } from '../core/workload.ts';
import type { GuestOutcome, RunResult } from '../lab/engine.ts';
import { type Evidence, lastLines, readEvidence, type StepEnd } from './evidence.ts';
import { kernelWarnings } from './kernel-warnings.ts';
import { DIED, NOT_SCHEDULED, PANIC, STOPPED } from './machine-lost.ts';
import { misTimed, mostLate } from './most-late.ts';
import { notesOf } from './notes.ts';
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
  /** The trial's folder of consoles and logs, in the run's folder. */
  readonly folder?: string;
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
    died(workload, outcome, seen) ??
    refusal(policy, seen) ??
    ejection(policy, seen, outcome.consoleTail) ??
    stopped(workload, outcome, seen) ??
    outlived(seen) ??
    unproven(policy, seen, outcome) ??
    uncounted(context, seen, outcome) ??
    misplaced(planned, workload, context.engine, seen, outcome) ??
    ranBadly(workload, seen);
  const warnings = kernelWarnings(seen.kernelLog || outcome.consoleTail, seen.readySeconds);
  if (bad !== undefined) return unmeasured(facts, bad, warnings, seen, context);
  const read = extractMetrics(workload, seen.output ?? '');
  if (!read.ok) return unmeasured(facts, { state: 'failed', reason: read.reason }, warnings, seen, context);
  const metrics = seen.result ? withTimeAfter(read.metrics, workload, seen.result) : read.metrics;
  const notes = [...notesOf(seen), ...warnings.map((warning) => `kernel: ${warning}`)];
  return { ...facts, state: 'completed', metrics, ...(notes.length === 0 ? {} : { notes }) };
}

/** States in which the kernel's warnings may be the cause. A policy that was refused or left has one of its own. */
const MAY_BE_WARNED: readonly Verdict['state'][] = ['failed', 'timed-out', 'crashed'];

/** What is recorded of a trial that did not complete: its verdict with the kernel's warnings, and where there is more. */
function unmeasured(
  facts: ReturnType<typeof factsOf>,
  verdict: Verdict,
  warnings: readonly string[],
  seen: Evidence,
  { folder }: JudgeContext,
): TrialRecord {
  const { file = warnings.length > 0 ? 'kernel.log' : undefined, ...rest } = verdict;
  const [first] = warnings.filter((warning) => !rest.reason.includes(warning));
  const warned = first !== undefined && MAY_BE_WARNED.includes(rest.state);
  const detail = [...warnings, rest.detail].filter((part) => part !== undefined).join('\n');
  const notes = notesOf(seen);
  const { host } = facts;
  return {
    ...facts,
    ...rest,
    host: file === undefined || folder === undefined ? host : { ...host, log: `${folder}/${file}` },
    reason: warned ? oneLine(`${rest.reason}; kernel: ${first}`) : rest.reason,
    ...(detail === '' ? {} : { detail }),
    ...(notes.length === 0 ? {} : { notes }),
  };
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
          ...takeOverOf(seen.result),
          outputBytes: seen.result.outputBytes,
        }),
    ...(seen.changed === undefined ? {} : { changed: seen.changed }),
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

function usageOf(result: RunResult): Usage {
  const { elapsedNs, userNs, systemNs, voluntarySwitches, involuntarySwitches, allUserNs, allSystemNs } =
    result;
  return {
    ...{ elapsedNs, userNs, systemNs, voluntarySwitches, involuntarySwitches },
    ...(allUserNs === undefined || allSystemNs === undefined ? {} : { allUserNs, allSystemNs }),
  };
}

function takeOverOf({ forkNs, activeNs }: RunResult): { takeOver?: TakeOver } {
  return forkNs === undefined || activeNs === undefined ? {} : { takeOver: { chosenNs: forkNs, activeNs } };
}

/** The guest panicked, its agent gave up, or the VM ended before the guest was done. */
function died(workload: WorkloadDefinition, outcome: GuestOutcome, seen: Evidence): Verdict | undefined {
  const panic = PANIC.exec(outcome.consoleTail)?.[0];
  if (panic?.includes(NOT_SCHEDULED) === true) {
    const reason = `still running after ${workload.deadline_s} s of guest time; the agent was not scheduled to end it`;
    return withConsole('timed-out', reason, outcome);
  }
  if (panic !== undefined) return crashed(panic, outcome);
  if (seen.agentError !== undefined) return crashed(`guest agent: ${seen.agentError}`, outcome);
  if (outcome.ended === 'died') {
    const where = seen.lastFrame === undefined ? 'before its first word' : `after "${seen.lastFrame}"`;
    return crashed(`${DIED} ${where}: ${outcome.cause ?? 'no cause known'}`, outcome);
  }
  if (seen.garbled === undefined) return undefined;
  return crashed(`the guest sent a frame that cannot be read: ${seen.garbled}`, outcome);
}

/** Frames after which a step runs, which the agent ends at its deadline. */
const STEP_RUNS: readonly (string | undefined)[] = ['attached', 'forked', 'warm'];

/** The host stopped a guest that hung. */
function stopped(workload: WorkloadDefinition, outcome: GuestOutcome, seen: Evidence): Verdict | undefined {
  if (outcome.ended !== 'deadline') return undefined;
  const where = seen.lastFrame === undefined ? 'it never spoke' : `its last word was "${seen.lastFrame}"`;
  const agent = STEP_RUNS.includes(seen.lastFrame)
    ? `, and its agent did not end the workload at ${workload.deadline_s} s of guest time: it was not scheduled, or the host gave the guest no time`
    : '';
  const seconds = Math.round(outcome.hostSeconds);
  return withConsole('timed-out', `${STOPPED} ${seconds} s of host time; ${where}${agent}`, outcome);
}

/** What a step left behind could not be ended: it would run on into the next, or has. */
function outlived({ warm, result }: Evidence): Verdict | undefined {
  const at = (step: string, ended: StepEnd | undefined): Verdict | undefined =>
    ended?.stuck
      ? {
          state: 'failed',
          reason: oneLine(
            `${step}: ${ended.stuck} of its processes outlived SIGKILL: ${(ended.names ?? []).join(', ')}`,
          ),
        }
      : undefined;
  return at('warm-up', warm) ?? at('run', result);
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
  const late = (seen.probesLateNs ?? 0) / 1e9;
  const most = mostLate(0, context.engine);
  if (late > most) {
    const reason = `a window of the probes ended ${late.toFixed(3)} s after it was due; at most ${most.toFixed(3)} s may pass`;
    return { state: 'failed', reason };
  }
  const absent = context.probes?.filter((set) => seen.probes?.[set] === undefined) ?? [];
  if (absent.length === 0 || seen.result === undefined) return undefined;
  return crashed(`the guest ended without a word of its probes ${absent.join(', ')}`, outcome);
}

/** The policy must have taken over where the plan says: before the run, or in it and before its end. */
function misplaced(
  planned: PlannedTrial,
  workload: WorkloadDefinition,
  engine: EngineName,
  seen: Evidence,
  outcome: GuestOutcome,
): Verdict | undefined {
  if (seen.result === undefined) return undefined;
  const { forkNs, elapsedNs, activeNs = forkNs } = seen.result;
  const inRun = planned.point !== 'quiescent';
  if (inRun && forkNs === undefined) {
    return crashed(`the guest does not say when the policy took over; planned was ${planned.point}`, outcome);
  }
  if (forkNs === undefined) return undefined;
  const at = `the guest says that the policy took over after ${forkNs / 1e9} s of the run`;
  if (!inRun) return crashed(`${at}; planned was ${planned.point}`, outcome);
  if (forkNs > elapsedNs) return crashed(`${at}, which lasted ${elapsedNs / 1e9} s`, outcome);
  return misTimed(planned.point, forkPointMs(planned.point, warmSeconds(workload, engine)), engine, {
    ...{ forkNs, elapsedNs, activeNs: activeNs ?? forkNs },
  });
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
  return { state, reason: oneLine(reason), ...(tail === '' ? {} : { detail: tail, file: 'console.log' }) };
}

/** The console's end, or what surrounds a panic: the trace that follows it may be longer than all that is kept. */
function consoleLines(consoleTail: string): string {
  const lines = lastLines(consoleTail, Number.POSITIVE_INFINITY).split('\n');
  const panic = lines.findIndex((line) => PANIC.test(line));
  const from =
    panic < 0 ? Math.max(0, lines.length - CONSOLE_LINES) : Math.max(0, panic - LINES_BEFORE_PANIC);
  return lines.slice(from, from + CONSOLE_LINES).join('\n');
}
