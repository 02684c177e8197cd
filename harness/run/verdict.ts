// SPDX-License-Identifier: Apache-2.0
import { isNamed } from '../core/held-program.ts';
import type { PolicyDefinition } from '../core/policy.ts';
import { FIRST_ERROR_KIND, type KernelExit, kernelExits } from '../core/scheduler-exit.ts';
import type { KnobState, SchedExtState, SchedulerExit, UnmeasuredTrial } from '../core/trial.ts';
import { type Evidence, lastLines } from './evidence.ts';
import { verifierRefusal } from './verifier-words.ts';

/** Why a trial yields no metric. */
export interface Verdict {
  readonly state: UnmeasuredTrial['state'];
  readonly reason: string;
  readonly detail?: string;
  readonly schedulerExit?: SchedulerExit;
}

const WORDS = 20;

/** The policy never ran: the guest says so, or what the kernel named is not what was asked for. */
export function refusal(policy: PolicyDefinition, seen: Evidence): Verdict | undefined {
  const reason = seen.refused ?? (seen.attached && mismatch(policy, seen.attached));
  if (reason === undefined) return undefined;
  // The loader prints the verifier's log; the kernel says why it unloaded a scheduler that did get in.
  const verifier = verifierRefusal(seen.policyLog);
  const loader = verifier?.words ?? lastLines(seen.policyLog, WORDS);
  const words = [loader, lastLines(schedExtLines(seen.kernelLog), WORDS)]
    .filter((part) => part !== '')
    .join('\n');
  const found = verifier && `the verifier refused ${verifier.program}: ${verifier.finding}; `;
  return {
    state: 'refused',
    reason: oneLine(`${found ?? ''}${reason}`),
    ...(words === '' ? {} : { detail: words }),
  };
}

/** The policy was proven active and did not stay so until the workload's end. */
export function ejection(policy: PolicyDefinition, seen: Evidence, consoleTail: string): Verdict | undefined {
  if (seen.attached === undefined) return undefined;
  const log = seen.kernelLog === '' ? consoleTail : seen.kernelLog;
  const exits = kernelExits(log).filter((exit) => !('ops' in policy) || isNamed(policy.ops, exit.ops));
  const moved = seen.after && departure(policy, seen.attached, seen.after);
  if (seen.after !== undefined && moved === undefined) {
    // With equal sequence numbers the same scheduler was enabled throughout, and a later line of the log is the agent's
    // own unregistering. Without them only the log can tell, and a user-space exit there is the normal ending.
    const proven = seen.after.enableSeq !== undefined && seen.attached.enableSeq !== undefined;
    const error = exits.find((exit) => (exit.kind ?? FIRST_ERROR_KIND) >= FIRST_ERROR_KIND);
    return proven || error === undefined ? undefined : ejected(error.reason, error);
  }
  // The first exit is the cause; what follows (a restart, a clean-up) is its consequence.
  const exit = exits[0];
  if (moved === undefined && exit === undefined) return undefined;
  return ejected(exit?.reason ?? (moved as string), exit, moved);
}

function ejected(reason: string, exit: KernelExit | undefined, moved?: string): Verdict {
  const detail = [moved, exit?.words].filter((part) => part !== undefined && part !== reason).join('\n');
  return {
    state: 'ejected',
    reason,
    ...(detail === '' ? {} : { detail }),
    schedulerExit: { reason, ...(exit?.kind === undefined ? {} : { kind: exit.kind }) },
  };
}

/** What the kernel named at attachment instead of the policy; undefined when it named the policy. */
function mismatch(policy: PolicyDefinition, at: SchedExtState): string | undefined {
  if (at.state === undefined) return 'the kernel did not say which scheduler is active';
  if (policy.kind === 'builtin' || policy.kind === 'knob') {
    if (at.state !== 'disabled') return `sched_ext is ${named(at)}, expected disabled`;
    return policy.kind === 'knob' ? unset(policy.settings, at.knobs ?? []) : undefined;
  }
  // A partial scheduler leaves ordinary tasks, and so the workload, to EEVDF.
  if (at.switchAll === '0') return `sched_ext is ${named(at)} for some tasks only (switch_all 0)`;
  if (at.state === 'enabled' && isNamed(policy.ops, at.ops)) return undefined;
  return `sched_ext is ${named(at)}, expected enabled with "${policy.ops}"`;
}

/** How the scheduler after the run differs from that before it; undefined when it is the same one, never replaced. */
function departure(
  policy: PolicyDefinition,
  before: SchedExtState,
  after: SchedExtState,
): string | undefined {
  const wrong = mismatch(policy, after);
  if (wrong !== undefined) return `after the run ${wrong}`;
  const kept = after.knobs?.find(({ before: old, restored }) => restored !== old);
  if (kept !== undefined)
    return `${kept.path} was "${kept.before}" and could not be put back: it reads "${kept.restored ?? ''}"`;
  // Schedulers come and go in such a run, and the kernel is back by its end.
  if (policy.kind === 'builtin' && policy.switches === true) return undefined;
  const counted = before.enableSeq !== undefined && after.enableSeq !== undefined;
  if (!counted || before.enableSeq === after.enableSeq) return undefined;
  // The kernel counts a scheduler a moment after it calls it enabled. One that was enabled at count 0 was not counted yet,
  // and a count of 1 is its own.
  if (before.state === 'enabled' && before.enableSeq === '0' && after.enableSeq === '1') return undefined;
  return `a scheduler was enabled during the run (enable_seq ${before.enableSeq} before, ${after.enableSeq} after)`;
}

/** The first setting that does not read as the policy wants it. */
function unset(
  settings: Extract<PolicyDefinition, { kind: 'knob' }>['settings'],
  read: readonly KnobState[],
): string | undefined {
  for (const { path, value, reads = value } of settings) {
    const found = read.find((knob) => knob.path === path);
    if (found === undefined) return `the guest does not say what ${path} reads`;
    if (found.value !== reads) return `${path} reads "${found.value}", expected "${reads}"`;
  }
  return undefined;
}

function named(at: SchedExtState): string {
  return at.ops === undefined || at.ops === '' ? String(at.state) : `${at.state} with "${at.ops}"`;
}

function schedExtLines(log: string): string {
  return log
    .split('\n')
    .filter((line) => line.includes('sched_ext'))
    .join('\n');
}

/** A reason is one line; what follows the first is in the detail already. */
export function oneLine(text: string): string {
  const line = text.split('\n').find((part) => part.trim() !== '') ?? text;
  return line.trim().slice(0, 300);
}
