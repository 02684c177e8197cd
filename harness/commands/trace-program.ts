// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';

/** Adds `pmvx trace record | show | fidelity`. */
export function addTraceCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const trace = program
    .command('trace')
    .description('record who ran, slept and woke whom; play it again with the workload replay');

  trace
    .command('fidelity')
    .description('record workloads, play each trace, and compare switches, waiting for CPUs and wake-ups')
    .argument('[workloads...]', 'like hackbench or hackbench:groups=2; default all')
    .option('--image <recipe>', 'image that holds them', 'full')
    .option('--out <dir>', 'folder for trace-fidelity.csv and .md')
    .option('--keep <dir>', 'folder that keeps the traces')
    .action(async (workloads: string[], options: { image: string; out?: string; keep?: string }) => {
      const { traceFidelityCommand } = await import('./trace-fidelity.ts');
      const chosen = workloads.length === 0 ? {} : { workloads };
      finish(await traceFidelityCommand({ ...options, ...chosen }, context));
    });
}
