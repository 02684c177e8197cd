// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { isForkPoint, POINT_PATTERN } from '../core/fork-point.ts';
import { NAME_PATTERN } from '../core/ids.ts';
import { PROBE_SETS } from '../core/probe-counters.ts';
import { ENGINE_NAMES } from '../core/trial.ts';
import { MEMORY_PATTERN, memoryInMiB } from './memory.ts';

/** Baseline of a spec that names none. */
export const DEFAULT_BASELINE = 'eevdf';
/** Blocks of a spec that gives no `seeds.count`. */
export const DEFAULT_BLOCKS = 5;
/** Blocks before the first look of the rule `width`. */
export const DEFAULT_MIN_BLOCKS = 5;

// Descriptions serve twice: editors show them, and a fault ends with the one of the key it is about.
// Messages given to a schema continue the sentence "<key> ...".

const name = z.string().regex(NAME_PATTERN, {
  error: 'must be 1 to 64 characters of a-z, 0-9, ".", "_" and "-", with a letter or digit at both ends',
});
const pointWords =
  'quiescent: before the run; warm: in the run, once it is warm; 2s: in the run, 2 s of guest time after its start.';
const memoryError = 'must be a size like 1GiB or 512MiB, from 256MiB to 64GiB';

const RawTopology = z.strictObject({
  nodes: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      'NUMA nodes of the guest, 1 to 64; each has as many sockets and as much memory as the others. Default: 1.',
    ),
  sockets: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe("Sockets of the guest, 1 to 64; an LLC is a socket's. Default: 1."),
  cores: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe('Cores of one socket, 1 to 64. Default: vcpus / (sockets x threads).'),
  threads: z.int().min(1).max(64).default(1).describe('Threads of one core, 1 to 64. Default: 1.'),
});

/** `machine:` as written. */
export const RawMachine = z.strictObject({
  engine: z
    .enum(ENGINE_NAMES)
    .default('exact')
    .describe(
      'How trials run: exact (same bits every time), kvm, tcg (real time), native (no machine, built-in policy only) or mock. Default: exact.',
    ),
  vcpus: z.int().min(1).max(64).default(4).describe('Virtual CPUs, 1 to 64. Default: 4.'),
  memory: z
    .string()
    .regex(MEMORY_PATTERN, { error: memoryError })
    .refine((text) => memoryInMiB(text) !== undefined, { error: memoryError })
    .default('1GiB')
    .describe("The guest's memory, in whole MiB or GiB. Default: 1GiB."),
  speed: z
    .union([z.literal('fastest'), z.number().positive()], {
      error: 'must be fastest or a number greater than 0',
    })
    .default('fastest')
    .describe(
      'Speed of one vCPU on exact, in million instructions a second: 1000 / 2^k / vcpus with k from 0 to 10. Default: fastest, which is 1000 / vcpus.',
    ),
  quantum: z
    .int()
    .min(500)
    .max(1_000_000)
    .default(5000)
    .describe('Instructions after which exact turns to the next vCPU, 500 to 1000000. Default: 5000.'),
  topology: RawTopology.prefault({}).describe(
    'Sockets, cores and threads, whose product is vcpus, and NUMA nodes. Default: one node, one socket, one thread a core.',
  ),
});

/** One entry of `workloads:` as written. */
export const RawWorkloadUse = z.strictObject({
  use: name.describe('Name of a folder in workloads/, never a path.'),
  with: z
    .record(
      z.string(),
      z
        .union([z.number(), z.string(), z.boolean()], { error: 'must be one number or one word' })
        .describe('Give one value; several need an entry of `workloads` each.'),
    )
    .default({})
    .describe("Values for the workload's parameters; those not given keep the workload's own default."),
});

const pointError = 'must be quiescent, warm, or a time from 0.001s to 3600s with at most three decimals';
const point = z
  .string()
  .regex(POINT_PATTERN, { error: pointError, abort: true })
  .refine(isForkPoint, { error: pointError });

const RawSeeds = z.strictObject({
  base: z
    .int()
    .min(0)
    .default(1)
    .describe('Every seed of the plan is derived from this number, 0 or greater. Default: 1.'),
  count: z
    .int()
    .min(1)
    .max(10_000)
    .default(DEFAULT_BLOCKS)
    .describe('Blocks: every policy meets every workload once in each, 1 to 10000. Default: 5.'),
});

const RawStop = z.strictObject({
  rule: z
    .enum(['fixed', 'width'])
    .default('fixed')
    .describe(
      'When the run ends: fixed, after all blocks, or width, once intervals are narrow enough. Default: fixed.',
    ),
  width: z
    .number()
    .gt(1)
    .max(100)
    .optional()
    .describe('With rule: width, the most that high / low of an interval may be, such as 1.1.'),
  minBlocks: z
    .int()
    .min(2)
    .max(10_000)
    .optional()
    .describe('With rule: width, blocks before the first look; seeds.count is the bound. Default: 5.'),
  policies: z
    .array(name.describe('One of policies.'))
    .min(1)
    .optional()
    .describe('With rule: width, the policies whose intervals count. Default: all.'),
  workloads: z
    .array(name.describe('A workload of the spec.'))
    .min(1)
    .optional()
    .describe('With rule: width, the workloads whose intervals count. Default: all.'),
  maxFailures: z
    .int()
    .min(0)
    .optional()
    .describe('Trials that may end without a result before the run stops, 0 or more. Default: no limit.'),
});

/** A spec as written in YAML: the schema that validates it and that editors get. */
export const RawSpec = z
  .strictObject({
    name: name.describe('Name of the experiment; it names the folder of results.'),
    image: name.describe('Name of a recipe in vm-images/recipes, never a path.'),
    policies: z
      .array(name.describe('Name of a folder in bpf/policies, never a path.'))
      .min(1)
      .describe('The scheduling policies to compare; each is a folder in bpf/policies.'),
    workloads: z
      .array(RawWorkloadUse.describe('Write it as `- use: NAME`.'))
      .min(1)
      .describe('The workloads to run; each entry is `- use: NAME`, with parameters under `with:`.'),
    machine: RawMachine.prefault({}).describe('The machine of every trial.'),
    counterfactual: z
      .enum(['fork', 'boot'])
      .optional()
      .describe(
        'What policies share: fork (one machine, frozen and continued under each) or boot (each trial executes the whole machine from power-on). Default: fork on exact, boot elsewhere.',
      ),
    at: z
      .union([point, z.array(point.describe(pointWords)).min(1)])
      .default('quiescent')
      .describe(`Where policies take over, one point or a list. ${pointWords} Default: quiescent.`),
    seeds: RawSeeds.prefault({}).describe('Seeds and number of blocks.'),
    order: z
      .enum(['randomised', 'listed'])
      .default('randomised')
      .describe(
        'Order within a block: randomised (from the seed) or listed (as written). Default: randomised.',
      ),
    baseline: name
      .default(DEFAULT_BASELINE)
      .describe('The policy that the others are compared with; one of policies. Default: eevdf.'),
    probes: z
      .array(z.enum(PROBE_SETS).describe('A file in bpf/probes.'))
      .default([])
      .describe(
        'Sets of counters that BPF programs keep in the guest during the run: cpu, mem, io, net, calls. They cost a little time. Default: none.',
      ),
    probeWindowMs: z
      .int()
      .min(0)
      .max(60_000)
      .refine((ms) => ms === 0 || ms >= 10, { error: 'must be 0, or from 10 to 60000' })
      .default(250)
      .describe(
        'Guest time between two readings of the probes, in ms; 0: only before and after the run, else 10 to 60000. Default: 250.',
      ),
    probeOnMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(0)
      .describe(
        'For how many ms of each window events that come often are counted, at a time left to chance, so that probes cost that much less; what was counted is scaled up. 0: all the time. Default: 0.',
      ),
    controls: z
      .array(z.enum(['aa']).describe('aa: the baseline once more in each block, under another seed.'))
      .default(['aa'])
      .describe(
        'Extra trials that show how large a difference is by chance: [aa], or [] for none. Default: [aa].',
      ),
    stop: RawStop.prefault({}).describe('When the run ends. Default: after all blocks.'),
  })
  .describe('A spec has name, image, policies and workloads at least; see harness/experiments.');

export type RawSpec = z.output<typeof RawSpec>;
