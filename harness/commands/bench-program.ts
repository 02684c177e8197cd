// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { jobsOption } from './options.ts';

/** Adds `pmvx bench probes | forks`. */
export function addBenchCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const bench = program.command('bench').description('measure the harness itself');
  bench
    .command('probes')
    .description('what each set of probes costs a workload in virtual time, on exact')
    .argument('[spec]', 'YAML file; default harness/experiments/probe-overhead.yaml')
    .addOption(jobsOption())
    .option('--out <dir>', 'folder that gets the table as CSV and Markdown')
    .action(async (spec: string | undefined, options: { jobs?: number; out?: string }) => {
      const { benchProbesCommand } = await import('./bench-probes.ts');
      finish(await benchProbesCommand({ ...(spec === undefined ? {} : { spec }), ...options }, context));
    });
  bench
    .command('forks')
    .description(
      'run a whole spec with forks, then with boots: how long each takes, and whether all results are the same',
    )
    .argument('[spec]', 'YAML file; default harness/experiments/fork-speed.yaml')
    .addOption(jobsOption())
    .option('--own-blocks <n>', 'blocks to boot once more with only the own policy prepared', '1')
    .option('--json', 'for programs')
    .action(async (spec: string | undefined, options: { jobs?: number; ownBlocks: string; json?: true }) => {
      const { benchForksCommand } = await import('./bench-forks.ts');
      const { parseNumbers } = await import('./image-costs.ts');
      const [ownBlocks = 0] = parseNumbers(
        'own-blocks',
        options.ownBlocks,
        () => true,
        'Write a whole number, 0 for none',
      );
      const { jobs, json } = options;
      const given = { ...(spec === undefined ? {} : { spec }), ...(jobs === undefined ? {} : { jobs }) };
      finish(await benchForksCommand({ ...given, ownBlocks, json: json === true }, context));
    });
}
