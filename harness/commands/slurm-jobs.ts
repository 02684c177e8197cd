// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import { cacheFolder } from '../lab/image-files.ts';
import type { Plan } from '../plan/plan.ts';
import type { SlurmJobs } from '../scale/slurm/jobs-file.ts';
import { maySplit } from '../scale/slurm/tasks.ts';
import type { CommandContext } from './context.ts';
import { SLURM_DEFAULTS, type SlurmOptions } from './slurm-options.ts';

/** How a run is handed in: as the options say, and where they say nothing as it was `before`. */
export function jobsFrom(
  { spec, plan }: { readonly spec: Spec; readonly plan: Plan },
  options: SlurmOptions & { readonly jobs?: number },
  before: SlurmJobs | undefined,
  context: CommandContext,
): SlurmJobs {
  const split = options.splitBlocks ?? before?.split ?? false;
  if (split && !maySplit(spec)) {
    throw new PmvxError(ExitCode.usage, {
      where: '--split-blocks',
      what: `on ${spec.machine.engine} a block is one host's: what is compared must not be of different hosts`,
      next: 'Leave it out, or run on exact',
    });
  }
  const nodeCache = options.nodeCache === undefined ? before?.nodeCache : resolve(options.nodeCache);
  const broadcast = options.broadcast ?? before?.broadcast;
  if (broadcast !== undefined && nodeCache === undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: '--broadcast',
      what: 'needs to know where nodes keep what they are sent',
      next: "Name a folder of each node's own disk with --node-cache DIR",
    });
  }
  const atOnce = options.atOnce ?? before?.atOnce;
  return {
    v: 1,
    plan: plan.digest,
    jobs: options.jobs ?? before?.jobs ?? (spec.machine.engine === 'native' ? 1 : SLURM_DEFAULTS.jobs),
    split,
    cache: before?.cache ?? resolve(cacheFolder(context.env)),
    ...(nodeCache === undefined ? {} : { nodeCache }),
    ...(broadcast === undefined ? {} : { broadcast }),
    options: sbatchWords(options) ?? before?.options ?? [],
    arrayMax: options.arrayMax ?? before?.arrayMax ?? SLURM_DEFAULTS.arrayMax,
    ...(atOnce === undefined ? {} : { atOnce }),
    checkEvery: options.checkEvery ?? before?.checkEvery ?? SLURM_DEFAULTS.checkEvery,
    submitted: before?.submitted ?? [],
  };
}

function sbatchWords({ partition, time, sbatch }: SlurmOptions): string[] | undefined {
  if (partition === undefined && time === undefined && sbatch === undefined) return undefined;
  return [
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...(sbatch ?? []),
  ];
}
