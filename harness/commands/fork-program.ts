// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { jobsOption, numberOption } from './options.ts';

const FORK_NOTES = `
The state is of one seed of the spec, at the fork point: quiescent (before warm-up and run), warm (in the run, once it is warm), or
a time into the run such as 0.25s. The machine is brought there once, frozen and kept (a snapshot); each policy then lives on from
the same bits on the exact engine, whatever engine the spec names. All policies asked for are loaded before the fork.`;

const WHATIF_NOTES = `${FORK_NOTES}

Nothing is written into results/; --out DIR keeps consoles, trials.jsonl and answer.json. harness/whatif/README.md explains the
members of --json. Exit code 5 says that some future failed, timed out or crashed, or that none completed.

Examples:
  pmvx whatif harness/experiments/quickstart.yaml
  pmvx whatif harness/experiments/quickstart.yaml --at warm --policies eevdf,scx_simple,scx_central
  pmvx whatif my.yaml --at 0.5s --workload hackbench:groups=4 --block 3
  pmvx whatif my.yaml --at warm --blocks 5          from five states, with paired intervals`;

const DIVERGE_NOTES = `${FORK_NOTES}

Both forks are traced from outside: every context switch with its virtual time, vCPU and threads. Nothing is written into results/;
--out DIR keeps the traces (consoles/*/switches: virtual ns, vCPU, thread that left, thread that came, its command).

--policies with one policy twice compares two forks of it, which never differ. If they do, the exit code is 4: the image does not keep
what its self-test has proven. Exit code 5 says that a fork failed, timed out or crashed, or that none completed.

Examples:
  pmvx diverge harness/experiments/quickstart.yaml --at warm --policies eevdf,scx_simple
  pmvx diverge harness/experiments/quickstart.yaml --policies eevdf,eevdf`;

/** Adds what machines at their fork points are for: `pmvx whatif | diverge | snapshots`. */
export function addForkCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  type Options = Omit<import('./fork-lab.ts').ForkOptions, 'spec'>;

  const asking = (command: Command): Command =>
    command
      .argument('<spec>', 'YAML file')
      .option('--at <point>', 'fork point: quiescent, warm, or a time into the run (default quiescent)')
      .option('--policies <ids>', "with commas; default the spec's")
      .option('--workload <id>', 'of the spec, or id:name=value,... where it has several; default its first')
      .addOption(numberOption('--block <n>', 'block of the spec whose seed it is; default 0', 0, 999_999))
      .addOption(numberOption('--seed <n>', 'a seed of your own instead', 1, 2 ** 31 - 1));
  const ending = (command: Command, notes: string): Command =>
    command
      .addOption(jobsOption())
      .option('--out <dir>', 'folder that keeps what the machines said; new or empty')
      .option('--json', 'for programs')
      .addHelpText('after', notes);

  const whatif = asking(
    program.command('whatif').description('what each policy would have done from one and the same state'),
  ).addOption(numberOption('--blocks <n>', 'from so many states, one a block', 1, 1000));
  ending(whatif, WHATIF_NOTES).action(async (spec: string, options: Options) => {
    const { whatIfCommand } = await import('./whatif.ts');
    finish(await whatIfCommand({ spec, ...options }, context));
  });

  const diverge = asking(
    program
      .command('diverge')
      .description('the first context switch at which the futures of two policies differ'),
  );
  ending(diverge, DIVERGE_NOTES).action(async (spec: string, options: Options) => {
    const { divergeCommand } = await import('./diverge.ts');
    finish(await divergeCommand({ spec, ...options }, context));
  });

  const snapshots = program.command('snapshots').description('machines kept at their fork points');
  snapshots
    .command('list')
    .description('show what is kept, and what it takes on disk')
    .option('--json', 'for programs')
    .action(async (options: { json?: true }) => {
      const { snapshotsListCommand } = await import('./snapshots.ts');
      finish(await snapshotsListCommand(options, context));
    });
  snapshots
    .command('prune')
    .description('remove snapshots that nobody uses, the least recently used first')
    .option('--to <size>', 'only until the others fit, such as 2GiB')
    .action(async (options: { to?: string }) => {
      const { snapshotsPruneCommand } = await import('./snapshots.ts');
      finish(await snapshotsPruneCommand(options, context));
    });
}
