// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { jobsOption } from './options.ts';

const PAPER_NOTES = `
Claims and their tests are in paper-figs/claims.yaml. Each experiment is an ordinary run; a second call goes on where the first was
stopped. Verdicts go to paper-figs/REPRODUCTION.md and verdicts.json, figures to paper-figs/rendered/.

Examples:
  pmvx paper
  pmvx paper --judge --out results/reference/paper-quick
  pmvx paper --full --jobs 16`;

/** Adds `pmvx paper`. */
export function addPaperCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('paper')
    .description("run what the paper's claims need, and say of each whether it is reproduced")
    .addOption(
      new Option('--quick', 'about an hour on two cores, without the image (default)').conflicts('full'),
    )
    .option('--full', 'all workloads and schedulers, 20 blocks: many hours')
    .option('--judge', 'run nothing: judge the runs that are there')
    .option(
      '--out <dir>',
      'folder of the runs, and of what is made of them; those in it are gone on with; default results/paper/<size>',
    )
    .addOption(jobsOption())
    .addHelpText('after', PAPER_NOTES)
    .action(async (options: { full?: true; judge?: true; out?: string; jobs?: number }) => {
      const { paperCommand } = await import('./paper.ts');
      const { full, ...rest } = options;
      finish(await paperCommand({ size: full === true ? 'full' : 'quick', ...rest }, context));
    });
}
