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

const EXACT_NOTES = `
Machines of the exact engine are paused, starved, moved between CPUs, debugged, traced, started with other limits, another environment, or as on a
processor without FMA and AVX; some are booted, most are forks. Each must do what an undisturbed fork does, block by block, and say the same, byte by
byte. Kinds take turns; guest, vCPUs, policy and moments follow from --seed. What this host cannot do is skipped with its reason. What is changed on the
host is put back, also after Ctrl-C. With --out the tables go to exactness.csv and exactness.md; what is needed to see a difference again stays beside
them, or in the current folder. Exit code 1: a machine differs, or none came to its end.

Examples:
  pmvx selftest exact --minutes 10
  pmvx selftest exact --trials 300 --seed 3 --out results/reference
  pmvx selftest exact --trials 20 --only pauses-window,plain-host`;

/** Commands that try the program itself. */
export function addSelftestCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const selftest = program
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
  selftest
    .command('exact')
    .description('disturb machines of the exact engine, and compare each with an undisturbed one')
    .addOption(numberOption('--minutes <n>', 'begin no trial after so long', 1, 100_000))
    .addOption(numberOption('--trials <n>', 'machines to disturb', 1, 1_000_000))
    // Seed, kinds, jobs and folder are options of the command above, wherever they stand.
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXACT_NOTES)
    .action(async (_: unknown, command: Command) => {
      const { exactCommand } = await import('./selftest-exact.ts');
      finish(await exactCommand(command.optsWithGlobals<import('./selftest-exact.ts').ExactArgs>(), context));
    });
}
