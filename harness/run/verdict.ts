// SPDX-License-Identifier: Apache-2.0
import { isNamed } from '../core/held-program.ts';
import type { PolicyDefinition } from '../core/policy.ts';
import {
  FIRST_ERROR_KIND,
  type KernelExit,
  kernelEnables,
  kernelExits,
  lostCpu,
  reportedMessage,
} from '../core/scheduler-exit.ts';
import type { KnobState, SchedExtState, SchedulerExit, UnmeasuredTrial } from '../core/trial.ts';
import { type Evidence, headAndTail } from './evidence.ts';
import { loaderCause } from './loader-words.ts';
import { verifierRefusal } from './verifier-words.ts';
import { changeInWords, ONLINE_CPUS } from './watched-settings.ts';

/** Why a trial yields no metric. */
export interface Verdict {
  readonly state: UnmeasuredTrial['state'];
  readonly reason: string;
  readonly detail?: string;
  readonly schedulerExit?: SchedulerExit;
  /** Which of the trial's files has more words of it. */
  readonly file?: 'policy.log' | 'kernel.log' | 'console.log';
}

const WORDS = 20;
/** What the guest says of a scheduler's process that ended by itself. */
const ENDED = /\b(?:exited|ended) with status\b/;

/** The policy never ran: the guest says so, or what the kernel named is not what was asked for. */
export function refusal(policy: PolicyDefinition, seen: Evidence): Verdict | undefined {
  const reason = seen.refused ?? (seen.attached && mismatch(policy, seen.attached));
  if (reason === undefined) return undefined;
  // The loader prints the verifier's log; the kernel says why it unloaded a scheduler that did get in.
  const verifier = verifierRefusal(seen.policyLog);
  const loader = verifier?.words ?? headAndTail(seen.policyLog, WORDS);
  const kernel = kernelExits(seen.kernelLog).find((exit) => 'ops' in policy && isNamed(policy.ops, exit.ops));
  const words = [loader, headAndTail(schedExtLines(seen.kernelLog), WORDS)]
    .filter((part) => part !== '')
    .join('\n');
  const cause = verifier
    ? `${verifier.place === undefined ? '' : `${verifier.place}: `}${verifier.finding} (the verifier refused ${verifier.program})`
    : (kernel?.message ?? loaderCause(seen.policyLog, ENDED.test(reason)));
  return {
    state: 'refused',
    reason: oneLine(cause === undefined ? reason : `${cause}; ${reason}`),
    ...(words === '' ? {} : { detail: words }),
    ...(seen.policyLog !== '' ? { file: 'policy.log' } : {}),
  };
}

/** The policy was proven active and did not stay so until the workload's end. */
export function ejection(policy: PolicyDefinition, seen: Evidence, consoleTail: string): Verdict | undefined {
  if (seen.attached === undefined) return undefined;
  const log = seen.kernelLog === '' ? consoleTail : seen.kernelLog;
  const own = 'ops' in policy ? policy.ops : undefined;
  // Under the kernel's own scheduler every exit is that of a foreign one.
  const exits = kernelExits(log).filter((exit) => own !== undefined && isNamed(own, exit.ops));
  const moved = seen.after && departure(policy, seen.attached, seen.after, log);
  if (seen.after !== undefined && moved === undefined) {
    // With equal sequence numbers the same scheduler was enabled throughout, and a later line of the log is the agent's
    // own unregistering. Without them only the log can tell, and a user-space exit there is the normal ending.
    const proven = seen.after.enableSeq !== undefined && seen.attached.enableSeq !== undefined;
    const error = exits.find((exit) => (exit.kind ?? FIRST_ERROR_KIND) >= FIRST_ERROR_KIND);
    return proven || error === undefined ? resettled(seen) : left(withMessage(error, seen.policyLog, log));
  }
  // The first exit is the cause; what follows (a restart, a clean-up) is its consequence.
  const exit = exits[0];
  if (exit !== undefined) return left(withMessage(exit, seen.policyLog, log), moved);
  return moved === undefined ? undefined : ejected(moved, { reason: moved });
}

/** The kernel logs messages of errors only; of other exits the scheduler's program may tell, or what came before it. */
function withMessage(exit: KernelExit, policyLog: string, kernelLog: string): KernelExit {
  const message = exit.message ?? reportedMessage(policyLog, exit.reason) ?? lostCpu(kernelLog, exit);
  return message === undefined ? exit : { ...exit, message };
}

/** The scheduler left: what it or the kernel said of it, before the kernel's word for the kind of exit. */
function left(exit: KernelExit, moved?: string): Verdict {
  const { reason, kind, message } = exit;
  const detail = [moved, exit.words].filter((part) => part !== undefined).join('\n');
  return ejected(
    message === undefined ? reason : `${message} (${reason})`,
    { reason, ...(kind === undefined ? {} : { kind }), ...(message === undefined ? {} : { message }) },
    detail,
  );
}

/** A setting that the policy is measured under was changed while the workload ran. */
function resettled({ changed = [] }: Evidence): Verdict | undefined {
  const settings = changed.filter(({ path }) => path !== ONLINE_CPUS);
  if (settings.length === 0) return undefined;
  const all = settings.map((each) => changeInWords(each));
  return {
    state: 'ejected',
    reason: oneLine(`the workload changed ${all[0]}`),
    ...(all.length < 2 ? {} : { detail: all.join('\n') }),
  };
}

function ejected(reason: string, schedulerExit: SchedulerExit, detail = ''): Verdict {
  return {
    state: 'ejected',
    reason: oneLine(reason),
    ...(detail === '' || detail === reason ? {} : { detail }),
    schedulerExit,
    file: 'kernel.log',
  };
}

/** What the kernel named at attachment instead of the policy; undefined when it named the policy. */
function mismatch(policy: PolicyDefinition, at: SchedExtState): string | undefined {
  if (at.state === undefined) return 'the kernel did not say which scheduler is active';
  if (policy.kind === 'builtin' || policy.kind === 'knob') {
    if (at.state !== 'disabled') return `sched_ext is ${named(at)}, expected disabled`;
    return policy.kind === 'knob' ? unset(policy.settings, at.knobs ?? []) : undefined;
  }
  if (at.state === 'enabled' && isNamed(policy.ops, at.ops)) {
    // A partial scheduler leaves ordinary tasks, and so the workload, to EEVDF. Without a scheduler the file reads 0, too.
    return at.switchAll === '0' ? `sched_ext is ${named(at)} for some tasks only (switch_all 0)` : undefined;
  }
  return `sched_ext is ${named(at)}, expected enabled with "${policy.ops}"`;
}

/** How the scheduler after the run differs from that before it; undefined when it is the same one, never replaced. */
function departure(
  policy: PolicyDefinition,
  before: SchedExtState,
  after: SchedExtState,
  log: string,
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
  const own = 'ops' in policy ? policy.ops : undefined;
  const names = new Set([...kernelEnables(log), ...kernelExits(log).map(({ ops }) => ops)]);
  const foreign = [...names].filter((name) => own === undefined || !isNamed(own, name));
  const which =
    foreign.length === 0
      ? 'a scheduler'
      : `the foreign scheduler ${foreign.map((name) => `"${name}"`).join(', ')}`;
  return `${which} was enabled during the run (enable_seq ${before.enableSeq} before, ${after.enableSeq} after)`;
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
