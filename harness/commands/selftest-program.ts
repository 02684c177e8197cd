// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { jobsOption, numberOption } from './options.ts';

const NOTES = `
--faults N   kills, stops and starves controllers, machines, learners and builders; fills, breaks and unplugs their disks; cuts and flips what they
             have written; moves their clocks. After each, the work is gone on with, and must come to the very bytes of an undisturbed one.
             What is chosen follows from --seed; when exactly it happens depends on the host.
--fuzz N     gives everything that reads what others wrote (specs, guests' frames, QEMU's monitor, trial logs, evidence, recordings, traces) N inputs
             made from real ones. What is kept of earlier campaigns is in harness/selftest/fuzz/corpus; --out gets a new one, and findings.
--long N     makes one run of N trials on mock, and one of --exact forks of one machine, and looks at the controller meanwhile: memory and descriptors
             must stay flat, every trial complete, no process and no temporary file be left.

Examples:
  pmvx selftest --faults 50 --seed 7
  pmvx selftest --faults 500 --seed 1 --exact 50 --out results/reference/faults
  pmvx selftest --fuzz 1000000 --seed 3 --out fuzz
  pmvx selftest --faults 20 --only power-cut,disk-errors
  pmvx selftest --long 2000 --exact 200 --out results/reference`;

/** Commands that try the program itself. */
export function addSelftestCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('selftest')
    .description('try how hard pmvx is to break, and whether anything is lost')
    .addOption(numberOption('--faults <n>', 'faults to inject', 1, 100_000))
    .addOption(numberOption('--fuzz <n>', 'inputs to give', 1, 1_000_000_000))
    .addOption(numberOption('--long <n>', 'trials of one run', 8, 1_000_000))
    .addOption(numberOption('--seed <n>', 'what is chosen follows from it', 0, 2 ** 31 - 1).default(1))
    .addOption(
      numberOption(
        '--exact <n>',
        'of the faults, or besides the long run, so many with real machines; default a tenth',
        0,
        100_000,
      ),
    )
    .addOption(new Option('--only <kinds>', 'kinds of faults, with commas'))
    .addOption(jobsOption())
    .option('--out <dir>', 'folder that gets the tables')
    .addHelpText('after', NOTES)
    .action(async (options: import('./selftest.ts').SelftestArgs) => {
      const { selftestCommand } = await import('./selftest.ts');
      finish(await selftestCommand(options, context));
    });
}
