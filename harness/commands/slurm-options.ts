// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
import { numberOption } from './options.ts';

/** What `pmvx run --on slurm` takes besides what every run takes. */
export interface SlurmOptions {
  readonly partition?: string;
  readonly time?: string;
  readonly arrayMax?: number;
  readonly atOnce?: number;
  /** More options for sbatch, each as one word. */
  readonly sbatch?: readonly string[];
  readonly nodeCache?: string;
  readonly broadcast?: number;
  readonly checkEvery?: number;
  readonly splitBlocks?: boolean;
  /** Hands in, and does not wait. */
  readonly detach?: boolean;
}

/** Where the options say nothing. */
export const SLURM_DEFAULTS = { arrayMax: 1000, checkEvery: 20, jobs: 4 } as const;

export function addSlurmOptions(command: Command): Command {
  return command
    .option('--partition <name>', 'slurm: where tasks run')
    .option(
      '--time <limit>',
      'slurm: most time of a task, such as 4:00:00; then it is stopped and queued again',
    )
    .addOption(
      numberOption(
        '--array-max <n>',
        `slurm: most tasks of an array; default ${SLURM_DEFAULTS.arrayMax}`,
        1,
        1_000_000,
      ),
    )
    .addOption(numberOption('--at-once <n>', 'slurm: most tasks that run at once', 1, 1_000_000))
    .addOption(
      new Option(
        '--sbatch <option>',
        'slurm: one more option for sbatch, such as --sbatch=--account=NAME; repeatable',
      ).argParser((text: string, before: readonly string[] | undefined) => {
        if (!/^--?[A-Za-z]/.test(text))
          throw new InvalidArgumentError('Write it as one word: --sbatch=--account=NAME.');
        return [...(before ?? []), text];
      }),
    )
    .option('--node-cache <dir>', "slurm: a folder of each node's own disk, to which images are copied")
    .addOption(
      numberOption(
        '--broadcast <nodes>',
        'slurm: send images there with sbcast, on so many nodes, before tasks begin',
        2,
        10_000,
      ),
    )
    .addOption(
      numberOption(
        '--check-every <n>',
        `slurm: one of n blocks once more on another node, 0 for none; default ${SLURM_DEFAULTS.checkEvery}`,
        0,
        1_000_000,
      ),
    )
    .option('--split-blocks', 'slurm: on exact, workloads of a block may run on different nodes')
    .option('--detach', 'slurm: hand in, and do not wait');
}
