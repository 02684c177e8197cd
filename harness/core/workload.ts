// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

export const WORKLOAD_CLASSES = ['ipc', 'pipeline', 'network', 'cpu', 'memory', 'io', 'mixed'] as const;

const text = z.string().min(1).max(2000);
const key = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/);

const Parameter = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('int'),
    min: z.int(),
    max: z.int(),
    default: z.int(),
    about: text,
  }),
  z.strictObject({
    type: z.literal('choice'),
    values: z.array(z.string().min(1)).min(1),
    default: z.string(),
    about: text,
  }),
  z.strictObject({
    /**
     * A file that the run reads: its content is handed to the guest. The value is a path, here below the project's root, and as soon as it
     * has been read the path with a digest: `traces/mine.trace@0123456789abcdef`. An argument gets the file's place in the guest.
     */
    type: z.literal('file'),
    default: z.string().min(1),
    /** Longest file that is taken. */
    max_bytes: z
      .int()
      .min(1)
      .max(100 * 2 ** 20),
    about: text,
  }),
]);

/** One argument, or some that are added only when a parameter has a given value. `${name}` and `${seed}` are replaced. */
const Argument = z.union([
  z.string().min(1),
  z.strictObject({ if: key, is: z.string(), add: z.array(z.string().min(1)).min(1) }),
]);

/** How a metric's whole distribution is read; its values have the metric's unit. */
const HistogramDefinition = z.strictObject({
  /**
   * Regular expression (multi-line) with the groups `value` and `count`; it matches once for each bucket that the program prints,
   * in rising order of values.
   */
  pattern: z.string().min(1).max(500),
  /** Only what stands between a line that matches `from` and the next that matches `to` is read; all output when absent. */
  within: z.strictObject({ from: z.string().min(1).max(500), to: z.string().min(1).max(500) }).optional(),
  /** True when each count includes those of smaller values. */
  cumulative: z.boolean().default(false),
  /**
   * Regular expression (multi-line) with the group `count`, and maybe `bound`: how many values the program counted without telling them,
   * as those beyond its last bucket or those without an end when the run ended, and from where on they lie. It must match exactly once.
   * A percentile whose rank lies among them is none, and the trial fails. Without it, the program tells every value.
   */
  beyond: z.string().min(1).max(500).optional(),
  /** What a printed value is multiplied by to have the metric's unit. */
  scale: z.number().positive().default(1),
});

const MetricDefinition = z.strictObject({
  unit: text,
  direction: z.enum(['lower', 'higher']),
  primary: z.boolean().default(false),
  /** Regular expression (multi-line) with one group, the number. It must match exactly once. */
  pattern: z.string().min(1).max(500),
  histogram: HistogramDefinition.optional(),
  about: text,
});

/** A server that the run needs: started first, awaited, and stopped when the run has ended. */
const Server = z.strictObject({
  argv: z.array(Argument).min(1),
  /** What is observed before the run starts: a TCP port in state LISTEN, or a socket that exists. */
  ready: z.union([
    z.strictObject({ port: z.int().min(1).max(65_535) }),
    z.strictObject({ socket: z.string().regex(/^\/[\w./-]+$/) }),
  ]),
});

/** The contents of `workloads/<id>/workload.yaml`; the folder's name is the workload's id. */
export const WorkloadSchema = z.strictObject({
  summary: text,
  class: z.enum(WORKLOAD_CLASSES),
  /** Where the program comes from: a Debian package, or `driver` for C source in the same folder. */
  source: text,
  params: z.record(key, Parameter),
  /** How the seed reaches the run. */
  seed: text,
  argv: z.array(Argument).min(1),
  /** Debian packages that the guest needs for it. Files in the folder's `guest/` are at `/opt/pmvx/files/<id>/`. */
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+(\/[a-z-]+)?$/)).default([]),
  servers: z.array(Server).default([]),
  /** Default parameters on engines whose time is real (`kvm`, `native`), where they differ: a processor needs more work to be busy as long. */
  kvm: z.record(key, z.union([z.int(), z.string()])).default({}),
  /** Parameter values that replace the run's own during warm-up; no warm-up when absent. */
  warmup: z.record(key, z.union([z.int(), z.string()])).optional(),
  metrics: z.record(key, MetricDefinition),
  /** Longest time a run may take, in guest seconds. */
  deadline_s: z.number().positive().max(3600),
  /** Expected time of one run with default parameters, in guest seconds, by engine. */
  takes_s: z.strictObject({ exact: z.number().positive(), kvm: z.number().positive() }),
  /**
   * Time from the start of a run with default parameters until it is in its steady state, in guest seconds, by engine. The
   * fork point `warm` is there. A tenth of `takes_s` when absent.
   */
  warm_s: z.strictObject({ exact: z.number().positive(), kvm: z.number().positive() }).optional(),
  /**
   * What ends a run. `work`: it ends when a fixed amount of work is done, so less time is better. `time`: its length is set
   * (also by when requests come), and is never a score.
   */
  ends: z.enum(['work', 'time']).default('work'),
});

export type WorkloadDefinition = z.infer<typeof WorkloadSchema>;
export type WorkloadClass = (typeof WORKLOAD_CLASSES)[number];
export type ParameterValues = Readonly<Record<string, string | number>>;

/** Guest seconds from the start of a run to its steady state. Engines without a figure of their own take that of `exact`. */
export function warmSeconds({ warm_s, takes_s }: WorkloadDefinition, engine: string): number {
  const key = engine === 'kvm' ? 'kvm' : 'exact';
  return warm_s?.[key] ?? takes_s[key] / 10;
}

export interface Workload {
  readonly id: string;
  readonly definition: WorkloadDefinition;
}
