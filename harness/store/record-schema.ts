// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type ForkPoint, isForkPoint } from '../core/fork-point.ts';
import { PROBE_SETS } from '../core/probe-counters.ts';
import { ENGINE_NAMES, type TrialRecord } from '../core/trial.ts';

const text = z.string();
const SchedExt = z.looseObject({
  state: text.optional(),
  ops: text.optional(),
  enableSeq: text.optional(),
  nrRejected: text.optional(),
  switchAll: text.optional(),
});

const Counted = z.looseObject({
  ns: z.number().nonnegative(),
  missed: z.int().nonnegative(),
  sampledNs: z.number().nonnegative().optional(),
  counters: z.record(text, z.union([z.number(), z.array(z.number())])),
});

const facts = {
  v: z.literal(1),
  run: text,
  trial: text,
  block: z.int().nonnegative(),
  seed: z.int(),
  workload: text,
  variant: text,
  /** Records from before there were points are of trials whose policy was there before the run. */
  point: z
    .custom<ForkPoint>((value) => typeof value === 'string' && isForkPoint(value), 'not a fork point')
    .default('quiescent'),
  policy: text,
  role: z.enum(['measure', 'aa']),
  engine: z.enum(ENGINE_NAMES),
  schedBefore: SchedExt.optional(),
  schedAfter: SchedExt.optional(),
  exitStatus: z.int().optional(),
  usage: z
    .looseObject({
      elapsedNs: z.number(),
      userNs: z.number(),
      systemNs: z.number(),
      voluntarySwitches: z.number(),
      involuntarySwitches: z.number(),
    })
    .optional(),
  output: text.optional(),
  outputBytes: z.int().nonnegative().optional(),
  probes: z.partialRecord(z.enum(PROBE_SETS), Counted).optional(),
  transcript: text.optional(),
  guestSeconds: z.number().optional(),
  host: z.looseObject({
    startedAt: text,
    seconds: z.number(),
    attempt: z.int(),
    joules: z.number().nonnegative().optional(),
  }),
};

/** As `Histogram`: merged by adding counts, so a bucket that is there twice or has no count would be believed by nobody. */
const Histogram = z.looseObject({
  v: z.literal(1),
  buckets: z
    .array(z.tuple([z.int().nonnegative(), z.int().positive()]))
    .refine((buckets) => buckets.every(([bucket], at) => at === 0 || bucket > (buckets[at - 1]?.[0] ?? -1)), {
      message: 'buckets must rise',
    }),
});

const Metric = z.looseObject({
  name: text,
  unit: text,
  direction: z.enum(['lower', 'higher']),
  primary: z.boolean(),
  value: z.number(),
  histogram: Histogram.optional(),
});

// Loose: a later version may add members, and reading must not drop them.
const Completed = z.looseObject({ ...facts, state: z.literal('completed'), metrics: z.array(Metric) });
const Unmeasured = z.looseObject({
  ...facts,
  state: z.enum(['failed', 'ejected', 'refused', 'timed-out', 'crashed']),
  reason: text,
  detail: text.optional(),
  schedulerExit: z.looseObject({ kind: z.int().optional(), reason: text }).optional(),
  // Only a completed trial has metrics; a record that says otherwise is not to be believed.
  metrics: z.undefined().optional(),
});

const Schema = z.discriminatedUnion('state', [Completed, Unmeasured]);

/** The record in `value`, or in words why it is none. */
export function parseTrialRecord(value: unknown): { record: TrialRecord } | { fault: string } {
  const result = Schema.safeParse(value);
  if (result.success) return { record: result.data as TrialRecord };
  const issue = result.error.issues[0];
  const at = issue?.path.join('.') ?? '';
  return { fault: `not a trial record: ${at === '' ? '' : `${at}: `}${issue?.message ?? 'unknown shape'}` };
}
