// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { jobsOption, numberOption } from './options.ts';

const TUNE_NOTES = `
pmvx autotune queues windows that nothing in its map is near to. For each of them a load is made that looks like it to the probes (a profile of
the workload synth, tried in short forks of one machine until the cosine between the vectors is 0.95; or the trace that the
window names), every policy runs it on the exact engine, and the map learns what came of it: the next window like it is
known. Nothing here touches the machine's own scheduler; it may be done on another host.

What became of each window is a line of QUEUE.tuned.jsonl beside the queue, so that none is tuned twice. Profiles are kept in results/tuned, runs in
results/runs. Exit code 5 says that for some window no load was near enough, or that some trial failed.

Examples:
  pmvx tune --queue /var/lib/pmvx/queue.jsonl --map map.db
  pmvx tune --queue queue.jsonl --map map.db --policies eevdf,pmvx_chain,pmvx_latency --blocks 3
  pmvx tune --queue queue.jsonl --map map.db --follow      goes on with what comes, until Ctrl-C`;

/** Adds `pmvx tune`. */
export function addTuneCommand(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('tune')
    .description(
      'make loads that look like the windows that pmvx autotune did not know, try every policy on them, and teach the map',
    )
    .requiredOption('--queue <file>', 'JSON lines, as pmvx autotune writes them')
    .requiredOption('--map <map>', 'file of the map, or postgres://user@host/database?map=name')
    .option('--policies <ids>', 'with commas; default all schedulers of the image')
    .addOption(numberOption('--blocks <n>', 'seeds for every policy; default 2', 1, 100))
    .addOption(numberOption('--tries <n>', 'most short runs for each window; default 60', 4, 1000))
    .addOption(new Option('--image <recipe>', 'of the machine').default('quick'))
    .option('--follow', 'wait for more windows when all are done')
    .addOption(jobsOption())
    .addHelpText('after', TUNE_NOTES)
    .action(async (options: import('./tune.ts').TuneArgs) => {
      const { tuneCommand } = await import('./tune.ts');
      finish(await tuneCommand(options, context));
    });
}
