// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { NAME_PATTERN } from '../core/ids.ts';
import { PROBE_SETS } from '../core/probe-counters.ts';
import { RawMachine } from '../spec/raw-spec.ts';

const name = z.string().regex(NAME_PATTERN, {
  error: 'must be 1 to 64 characters of a-z, 0-9, ".", "_" and "-", with a letter or digit at both ends',
});
const rounds = z.int().min(1).max(200);

const part = {
  use: name.describe('Name of a folder in workloads/.'),
  with: z
    .record(z.string(), z.union([z.number(), z.string(), z.boolean()]))
    .default({})
    .describe("Values for the workload's parameters."),
  ramp: z
    .record(z.string(), z.tuple([z.int(), z.int()]))
    .default({})
    .describe('Parameters that go from a first value to a last one, in equal steps over the rounds.'),
  rounds: z
    .union([rounds, z.tuple([rounds, rounds])], {
      error: 'must be a whole number from 1 to 200, or two between which the seed draws',
    })
    .default(1)
    .describe(
      'How often its command runs, 1 to 200, or two numbers between which the seed draws. Default: 1.',
    ),
  metric: z
    .string()
    .optional()
    .describe("The metric by which it is judged. Default: the workload's primary one."),
};

const RawPart = z.strictObject(part);

const Act = z.union(
  [
    z.strictObject({ clock: z.int().min(-1_000_000_000).max(1_000_000_000) }),
    z.strictObject({ kill: z.literal('daemon') }),
  ],
  { error: 'must be clock: SECONDS or kill: daemon' },
);

const RawPhase = z.strictObject({
  name: name.describe('Unique in the day.'),
  before: z.array(Act).default([]).describe('What happens to the machine right before the phase.'),
  parts: z.array(RawPart).min(1).max(16).describe('What runs at the same time.'),
});

/** A day's YAML as written. */
export const RawDay = z
  .strictObject({
    name: name.describe('Names the day, and runs of it.'),
    about: z.string().min(1).max(2000).optional().describe('What it is for, in a sentence.'),
    image: name.default('runtime').describe('A recipe with `runtime: true`. Default: runtime.'),
    machine: RawMachine.prefault({}).describe('As in a spec.'),
    seed: z.int().min(0).default(1).describe('Draws the numbers of rounds. Default: 1.'),
    order: z
      .enum(['listed', 'shuffled'])
      .default('listed')
      .describe('Order of phases: as written, or drawn from the seed of each block. Default: listed.'),
    phases: z
      .array(RawPhase)
      .min(1)
      .max(100)
      .describe('What the day consists of, 1 to 100 phases, each with parts.'),
    autotune: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('Configuration of the daemon, as in the file that `pmvx autotune --config` takes.'),
    missingProbes: z
      .array(z.enum(PROBE_SETS))
      .default([])
      .describe('Sets of probes that cannot be loaded in the guest.'),
    madeUp: z
      .array(name)
      .default([])
      .describe('Schedulers of bpf/made-up, which are there to fail, that the daemon may choose.'),
  })
  .describe('Write a mapping with name and phases; harness/replay/README.md has every key.');

export type RawDay = z.infer<typeof RawDay>;
