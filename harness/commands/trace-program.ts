// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { ENGINE_NAMES } from '../core/trial.ts';
import type { CommandContext } from './context.ts';
import { jobsOption, numberOption } from './options.ts';

const RECORD_NOTES = `
A workload or a trial of a spec is recorded in a VM, as a run would have it; a program after -- on this host, which needs root and a
kernel with type information (BTF), and the image for the recorder itself. A trace with lost events is an error. Ctrl-C ends what
is recorded, and leaves no file.

Examples:
  pmvx trace record hackbench                            on exact, under eevdf, into hackbench.trace
  pmvx trace record nginx-wrk --image full --out nginx.trace
  pmvx trace record hackbench:groups=4,loops=20 --policy scx_simple
  pmvx trace record my.yaml --workload stage-pipeline --block 2
  pmvx trace record --out build.trace -- make -j4        a program on this host, with all that it starts`;

const FIDELITY_NOTES = `
Each workload is recorded under eevdf, its trace is played under the same recorder, and both recordings are compared: switches a
second, time that tasks wait for a CPU, and who wakes whom, task by task (total variation distance of the shares of all pairs).

Examples:
  pmvx trace fidelity hackbench perf-sched-pipe --image quick
  pmvx trace fidelity --out results/reference            every workload; hours on two cores`;

/** Adds `pmvx trace record | show | fidelity`. */
export function addTraceCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const trace = program
    .command('trace')
    .description('record who ran, slept and woke whom; the workload replay plays it again');

  trace
    .command('record')
    .description('record a workload in a VM, or a program on this host')
    .argument(
      '[target...]',
      'a workload such as hackbench:groups=2, or a spec; or after -- a program and its arguments',
    )
    .option('--out <file>', 'the trace; default: the name of what is recorded, with .trace')
    .option('--workload <id>', 'of a spec, or id:name=value,... where it has several; default its first')
    .option('--policy <id>', "default eevdf, or the spec's first")
    .option('--image <recipe>', 'image that holds them; default quick')
    .addOption(new Option('--engine <name>', 'default exact').choices(ENGINE_NAMES))
    .addOption(numberOption('--vcpus <n>', 'default 4', 1, 64))
    .addOption(numberOption('--block <n>', 'of the spec whose seed it is; default 0', 0, 999_999))
    .addHelpText('after', RECORD_NOTES)
    .action(async (words: string[], options: Omit<import('./trace-record.ts').TraceRecordArgs, 'target'>) => {
      const { traceRecordCommand } = await import('./trace-record.ts');
      finish(await traceRecordCommand({ ...options, ...recorded(words, process.argv) }, context));
    });

  trace
    .command('show')
    .description('what is in a trace, in words')
    .argument('<file>', 'a trace')
    .action(async (file: string) => {
      const { traceShowCommand } = await import('./trace-show.ts');
      finish(await traceShowCommand(file, context));
    });

  trace
    .command('fidelity')
    .description('record workloads, play each trace, and compare switches, waiting for CPUs and wake-ups')
    .argument('[workloads...]', 'like hackbench or hackbench:groups=2; default all')
    .option('--image <recipe>', 'image that holds them', 'full')
    .option('--out <dir>', 'folder for trace-fidelity.csv and .md')
    .option('--keep <dir>', 'folder that keeps the traces')
    .addOption(
      numberOption('--blocks <n>', 'runs of each, with different seeds, taken together; default 1', 1, 100),
    )
    .addOption(jobsOption())
    .addHelpText('after', FIDELITY_NOTES)
    .action(
      async (
        workloads: string[],
        options: { image: string; out?: string; keep?: string; blocks?: number; jobs?: number },
      ) => {
        const { traceFidelityCommand } = await import('./trace-fidelity.ts');
        const chosen = workloads.length === 0 ? {} : { workloads };
        finish(await traceFidelityCommand({ ...options, ...chosen }, context));
      },
    );
}

/** What stands after `--` is a program; else there is one word, a workload or a spec. */
export function recorded(
  words: readonly string[],
  argv: readonly string[],
): { readonly target: string } | { readonly command: readonly string[] } {
  const after = argv.indexOf('--');
  const command = after < 0 ? [] : argv.slice(after + 1);
  const before = words.slice(0, words.length - command.length);
  const [target, extra] = before;
  if (target !== undefined && extra === undefined && command.length === 0) return { target };
  if (target === undefined && command.length > 0) return { command };
  const what =
    target === undefined
      ? 'nothing to record'
      : `${JSON.stringify(extra ?? command.join(' '))} comes after ${JSON.stringify(target)}`;
  const next = 'Name one workload or spec, or write -- and then a program with its arguments';
  throw new PmvxError(ExitCode.usage, { where: 'trace record', what, next });
}
