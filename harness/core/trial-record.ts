// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type ForkPoint, isForkPoint } from './fork-point.ts';
import { MetricSchema } from './metric.ts';
import { type Frozen, openObject } from './open-object.ts';
import { PROBE_SETS, ProbeTotalsSchema } from './probe-counters.ts';

// The schema of a record in `trials.jsonl`, from which its types follow. A new fact is one member here: `exactOptional`, as
// records from before it lack it. Objects are open, because a later version may add members, and reading must not drop them.

export const ENGINE_NAMES = ['exact', 'tcg', 'kvm', 'native', 'mock'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

export const TRIAL_STATES = ['completed', 'failed', 'ejected', 'refused', 'timed-out', 'crashed'] as const;

const text = z.string();

/** A setting of the kernel: what it read before the policy, and now; `restored`: what it read when it had been put back. */
const Knob = openObject({ path: text, before: text, value: text, restored: text.exactOptional() });

/** What the kernel said about sched_ext at one moment. Strings are as read from sysfs; absent when the file was. */
const SchedExt = openObject({
  state: text.exactOptional(),
  ops: text.exactOptional(),
  enableSeq: text.exactOptional(),
  nrRejected: text.exactOptional(),
  /** Settings that are the policy, as read at that moment. */
  knobs: z.array(Knob).exactOptional(),
  /** `1` when every task of the normal classes is the scheduler's, `0` when only those that asked for it are. */
  switchAll: text.exactOptional(),
});

/** What the run's processes used, as the guest's kernel accounts it. Absent in records from before it was kept. */
const UsageSchema = openObject({
  elapsedNs: z.number(),
  userNs: z.number(),
  systemNs: z.number(),
  voluntarySwitches: z.number(),
  involuntarySwitches: z.number(),
  /** CPU time of all that the run started, also of processes that nobody waited for. Absent in records from before it was kept. */
  allUserNs: z.number().exactOptional(),
  allSystemNs: z.number().exactOptional(),
});

/** Guest time from the run's start to where the policy was chosen, and to where the kernel had it. */
const TakeOver = openObject({ chosenNs: z.number(), activeNs: z.number() });

/** A setting of the kernel that changed during the run, with its whole text. */
const Changed = openObject({ path: text, before: text, value: text });

/** Where and when a trial ran. */
const Host = openObject({
  /** ISO 8601, UTC. */
  startedAt: text,
  seconds: z.number(),
  /** 1, or 2 when the machine itself died the first time. */
  attempt: z.int(),
  /** Names the node, by what it is; absent in records from before it was kept. */
  fingerprint: text.exactOptional(),
  /** Energy of all processor packages of the host while the trial ran, J; absent without counters, or when other trials ran meanwhile. */
  joules: z.number().nonnegative().exactOptional(),
  /** The file, in the run's folder, that has more words of why a trial did not complete; absent when there is none. */
  log: text.exactOptional(),
});

const facts = {
  v: z.literal(1),
  run: text,
  trial: text,
  block: z.int().nonnegative(),
  seed: z.int(),
  workload: text,
  variant: text,
  /** Where the policy took over. Records from before there were points are of trials whose policy was there before the run. */
  point: z
    .custom<ForkPoint>((value) => typeof value === 'string' && isForkPoint(value), 'not a fork point')
    .default('quiescent'),
  policy: text,
  role: z.enum(['measure', 'aa']),
  engine: z.enum(ENGINE_NAMES),
  /** Kernel's evidence from when the policy took over, and from the workload's end; absent when the trial never got there. */
  schedBefore: SchedExt.exactOptional(),
  schedAfter: SchedExt.exactOptional(),
  /** Exit status of the workload (128 + signal when killed by one). */
  exitStatus: z.int().exactOptional(),
  usage: UsageSchema.exactOptional(),
  /** When the policy took over, where that was in the run. Absent in records from before it was kept. */
  takeOver: TakeOver.exactOptional(),
  /** Settings that nobody was to change, and that changed. */
  changed: z.array(Changed).exactOptional(),
  /** What is worth knowing of a trial, whatever its state: processes that a step left behind, warnings of the kernel. */
  notes: z.array(text).exactOptional(),
  /** The workload's whole output, bounded; `outputBytes` is its true length. */
  output: text.exactOptional(),
  outputBytes: z.int().nonnegative().exactOptional(),
  /** What probes counted from the run's start to its end, by set; absent without probes, or when the guest never got there. */
  probes: z.partialRecord(z.enum(PROBE_SETS), ProbeTotalsSchema).exactOptional(),
  /** SHA-256 of every byte that the guest sent: equal digests mean equal runs. */
  transcript: text.exactOptional(),
  /** Guest time from power-on to the end, seconds. Virtual on `exact`. */
  guestSeconds: z.number().exactOptional(),
  /** Host facts: never compared between runs. */
  host: Host,
};

const Completed = openObject({ ...facts, state: z.literal('completed'), metrics: z.array(MetricSchema) });

/** Why a sched_ext scheduler left: kernel's exit kind and reason, and what the scheduler or the kernel said of it. */
const Exit = openObject({ kind: z.int().exactOptional(), reason: text, message: text.exactOptional() });

/** A trial that yields no metric. `reason` is one line; `detail` keeps the words of kernel or program. */
const Unmeasured = openObject({
  ...facts,
  state: z.enum(TRIAL_STATES).exclude(['completed']),
  reason: text,
  detail: text.exactOptional(),
  schedulerExit: Exit.exactOptional(),
}).refine((record) => (record as { metrics?: unknown }).metrics === undefined, {
  path: ['metrics'],
  message: 'only a completed trial has metrics',
});

const Schema = z.discriminatedUnion('state', [Completed, Unmeasured]);

export type SchedExtState = Frozen<z.infer<typeof SchedExt>>;
export type KnobState = Frozen<z.infer<typeof Knob>>;
export type SchedulerExit = Frozen<z.infer<typeof Exit>>;
export type TakeOver = Frozen<z.infer<typeof TakeOver>>;
export type ChangedSetting = Frozen<z.infer<typeof Changed>>;
export type Usage = Frozen<z.infer<typeof UsageSchema>>;
export type HostOfTrial = Frozen<z.infer<typeof Host>>;
export type CompletedTrial = Frozen<z.infer<typeof Completed>>;
export type UnmeasuredTrial = Frozen<z.infer<typeof Unmeasured>>;
export type TrialRecord = CompletedTrial | UnmeasuredTrial;
export type TrialState = TrialRecord['state'];

/** The record in `value`, or in words why it is none. */
export function parseTrialRecord(value: unknown): { record: TrialRecord } | { fault: string } {
  const result = Schema.safeParse(value);
  if (result.success) return { record: result.data };
  const issue = result.error.issues[0];
  const at = issue?.path.join('.') ?? '';
  return { fault: `not a trial record: ${at === '' ? '' : `${at}: `}${issue?.message ?? 'unknown shape'}` };
}
