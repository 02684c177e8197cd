// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { OBJECTIVES } from '../../../analysis/policy-map/evidence.ts';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { PROBE_SETS } from '../../core/probe-counters.ts';
import { ENGINE_NAMES } from '../../core/trial.ts';
import { readYaml } from '../../core/yaml-source.ts';
import { zodFaults } from '../../core/zod-faults.ts';
import { GUARD_DEFAULTS } from '../guard/config.ts';
import { REST_DEFAULTS } from '../sense/rest.ts';

const ms = z.number().positive().max(86_400_000);
const share = z.number().min(0).max(1);
const path = z.string().min(1).max(4096);
const count = z.int().min(1).max(1_000_000);

const { dwell, quarantine, harm, ...guard } = GUARD_DEFAULTS;

const Machine = z.strictObject({
  engine: z.enum(ENGINE_NAMES),
  kernel: z.string().min(1),
  nodes: count,
  sockets: count,
  cores: count,
  threads: count,
  cpu: z.string().min(1),
});

/** What `--config FILE` may say; every key has a default. `systemd/autotune.yaml` shows them all. */
export const ConfigSchema = z
  .strictObject({
    map: path.optional(),
    objective: z.enum(OBJECTIVES).default('primary'),
    /** Policies that may be switched to; absent: all that the machine can. */
    policies: z.array(z.string().min(1)).optional(),
    windowMs: z.number().min(50).max(60_000).default(1000),
    /** For how much of each window frequent events are counted, ms, so that counting costs less; as long as a window or longer: all the time. */
    probeMs: z.number().min(5).max(60_000).default(100),
    /** After so many windows that change nothing (`after`) probes rest, and what the kernel counts anyway is watched. */
    rest: z
      .strictObject({
        after: count.default(REST_DEFAULTS.after),
        /** So long at most, ms; then there is a window. 0: they never rest. */
        mostMs: z.number().min(0).max(600_000).default(REST_DEFAULTS.mostMs),
        /** A rate that is so many times what it was ends the rest. */
        factor: z.number().min(1.05).max(100).default(REST_DEFAULTS.factor),
      })
      .prefault({}),
    probes: z.array(z.enum(PROBE_SETS)).min(1).default(['cpu', 'mem', 'io', 'net']),
    /** A policy that costs at most this share more than the best is kept: the map's estimates are no better than that. */
    prefer: share.default(0.1),
    /** Where nothing is surely better than EEVDF, the active policy is kept that is expected to be no worse, and costs at most this share more. */
    stay: share.default(0.1),
    /** What the map calls this machine, where it is not what the machine says of itself. */
    machine: Machine.partial().default({}),
    /** File with a number that an application lets grow with its work. */
    progressFile: path.optional(),
    places: z
      .strictObject({
        /** Folders with a `policy.yaml` each. */
        policies: path.optional(),
        /** Compiled schedulers of our own, `<policy>.bpf.o`. */
        objects: path.optional(),
        /** Programs of schedulers; absent: where their policy says. */
        programs: path.optional(),
        /** Compiled probes, `<set>.bpf.o`. */
        probes: path.optional(),
        /** What is kept between two lives of the daemon. */
        state: path.optional(),
      })
      .default({}),
    journal: path.optional(),
    journalBytes: z
      .int()
      .min(4096)
      .default(64 * 1024 * 1024),
    journalFiles: z.int().min(0).max(100).default(3),
    socket: path.optional(),
    /** `FILE`, or `unix:PATH` for a socket that answers HTTP. */
    metrics: path.optional(),
    /** Windows that nothing known is near to; `false`: they are not kept. */
    queue: z.union([path, z.literal(false)]).optional(),
    guard: z
      .strictObject({
        windows: z.int().min(1).max(1000).default(guard.windows),
        dwell: z
          .strictObject({
            ms: ms.optional(),
            costShare: z.number().positive().max(1).default(dwell.costShare),
            atLeastMs: z.number().min(0).max(86_400_000).default(dwell.atLeastMs),
            atMostMs: ms.default(dwell.atMostMs),
          })
          .prefault({}),
        switchesAnHour: z.int().min(2).max(100_000).default(guard.switchesAnHour),
        quarantine: z
          .strictObject({ firstMs: ms.default(quarantine.firstMs), mostMs: ms.default(quarantine.mostMs) })
          .refine(({ firstMs, mostMs }) => firstMs <= mostMs, {
            message: 'must have a firstMs of at most its mostMs',
          })
          .prefault({}),
        harm: z
          .strictObject({
            settle: z.int().min(0).default(harm.settle),
            windows: count.default(harm.windows),
            watch: z.int().min(0).default(harm.watch),
            sameLoad: z.number().min(0).max(2).default(harm.sameLoad),
            progress: z.number().positive().default(harm.progress),
            tail: z.number().min(1).default(harm.tail),
            mean: z.number().min(1).default(harm.mean),
            pressure: share.default(harm.pressure),
            blind: count.default(harm.blind),
          })
          .prefault({}),
        asideMs: z.number().min(0).max(86_400_000).default(guard.asideMs),
      })
      .prefault({}),
    /** How long the kernel may take to enable or disable a scheduler. */
    deadlineMs: ms.default(3000),
    /** How long a scheduler may take to open, load and be verified, while another one is in effect. */
    prepareMs: ms.default(20_000),
    /** The guardian goes home when the loop has given no sign for so long. */
    guardianMs: z.number().min(100).max(60_000).default(750),
    /** How long the map may take to answer; then the window goes without. */
    selectMs: z.number().min(10).max(60_000).default(2000),
    /** Grace periods of RCU are hurried while a scheduler is exchanged (/sys/kernel/rcu_expedited): the gap is a tenth or less. */
    expedite: z.boolean().default(true),
    /** Schedulers of our own are loaded and verified at the start and stay so: a switch then takes as long as attaching. */
    keepLoaded: z.boolean().default(false),
    /** The kernel's watchdog throws a scheduler of our own out when a task that could run waits longer. */
    watchdogMs: z.int().min(100).max(30_000).default(2500),
    /** Lets `apply` name a policy without a proposal, past dwell and rate: only to measure with. */
    unguarded: z.boolean().default(false),
  })
  .describe('harness/runtime/daemon/config.ts has every key.');

export type Config = z.infer<typeof ConfigSchema>;

/** Reads and checks a configuration; all of its faults in one error, each with its place. */
export async function readConfig(file: string | undefined): Promise<Config> {
  if (file === undefined) return ConfigSchema.parse({});
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const what = `the configuration cannot be read: ${(error as NodeJS.ErrnoException).code}`;
    throw new PmvxError(ExitCode.usage, { where: file, what, next: 'Check the path' }, { cause: error });
  }
  return parseConfig(text, file);
}

export function parseConfig(text: string, file: string): Config {
  const source = readYaml(text, file);
  if (source.faults.length > 0) throw new PmvxError(ExitCode.usage, source.faults);
  const parsed = ConfigSchema.safeParse(source.value);
  if (!parsed.success) throw new PmvxError(ExitCode.usage, zodFaults(parsed.error, source, ConfigSchema));
  return parsed.data;
}
