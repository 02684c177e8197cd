// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';

const NOTES = `
\`pmvx run SPEC --on slurm --out DIR\` hands a run in; DIR, this project's folder and the image cache (PMVX_CACHE) must be where all nodes
see them. Ctrl-C leaves it to Slurm, and --detach does so at once: nothing of a run on Slurm depends on a process that watches it.

Examples:
  pmvx run my.yaml --on slurm --partition long --time 8:00:00 --jobs 32 --out /shared/night-1
  pmvx run my.yaml --on slurm --sbatch=--account=lab --array-max 200 --out /shared/night-1 --detach
  pmvx slurm status /shared/night-1
  pmvx slurm attach /shared/night-1                 shows what was recorded since, to the end and the table
  pmvx slurm cancel /shared/night-1`;

/** Adds what is about runs that were handed in: `pmvx slurm status | attach | cancel`, and what Slurm itself starts on nodes. */
export function addSlurmCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const slurm = program
    .command('slurm')
    .description('runs on Slurm: how they are, watching them again, cancelling them')
    .addHelpText('after', NOTES);
  slurm
    .command('status')
    .description('what tasks of a run do, and how many trials are recorded')
    .argument('<run>', 'id or folder of a run')
    .option('--json', 'for programs')
    .action(async (run: string, options: { json?: true }) => {
      const { slurmStatusCommand } = await import('./slurm.ts');
      finish(await slurmStatusCommand(run, options, context));
    });
  slurm
    .command('attach')
    .description('watch a run to its end, and hand in what no task has')
    .argument('<run>', 'id or folder of a run')
    .option('--no-report', 'records only: no table, no figure')
    .action(async (run: string, options: { report?: boolean }) => {
      const { slurmAttachCommand } = await import('./slurm.ts');
      finish(await slurmAttachCommand(run, options, context));
    });
  slurm
    .command('cancel')
    .description('end the tasks of a run; what they have recorded is kept')
    .argument('<run>', 'id or folder of a run')
    .action(async (run: string) => {
      const { slurmCancelCommand } = await import('./slurm.ts');
      finish(await slurmCancelCommand(run, context));
    });
  slurm
    .command('task', { hidden: true })
    .argument('<run>')
    .action(async (run: string) => {
      const { slurmTaskCommand } = await import('./slurm-task.ts');
      finish(await slurmTaskCommand(run, context));
    });
  slurm
    .command('unpack', { hidden: true })
    .argument('<cache>')
    .argument('<file>')
    .argument('<cargo...>')
    .action(async (cache: string, file: string, cargo: string[]) => {
      const { slurmUnpackCommand } = await import('./slurm-cargo.ts');
      finish(await slurmUnpackCommand(cache, file, cargo, context));
    });
}
