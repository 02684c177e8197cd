// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { failOnOption, percentOption } from './options.ts';

const COMPARE_NOTES = `
For runs of one spec on two kernels, hosts or versions. Blocks of the same seed are paired. In CI:
  pmvx run my.yaml --out new && pmvx compare reference new     fails with exit code 6 when something became worse`;

const MERGE_NOTES = `
The order of runs does not matter, and merging again changes nothing: on exact, trials.csv is to the byte that of the spec run on one
machine. A trial may be in several runs. On exact its results must be equal to the bit; if they are not, the lab is broken, nothing
is written, and the exit code is 4. Exit code 5 also says that trials are missing: merge again when their run is there.

Examples:
  pmvx run my.yaml --shard 1/2 --out parts/1       here, and on another host --shard 2/2 --out parts/2
  pmvx merge parts/1 parts/2 --out results/runs/night-1`;

const FIGURES_NOTES = `
forest    ratio of each policy to the baseline with its interval, by workload; on several pages when there are many
heatmap   every workload by every policy; cells without a ratio say how their trials ended
ecdf      how latencies are distributed, where a workload tells that
scaling   the metric over the one number that a run varies for a workload, or over vCPUs: of runs that differ in them it is all that is drawn
pareto    time against tail latency, fairness and energy, where a workload has metrics of two; which policies are on the front
timeline  what ran when on the host, and how it ended

Several runs are taken together as \`pmvx analyze\` takes them. A figure for which a run has no data is not drawn, and the reason is printed. The same records give the same bytes.

Examples:
  pmvx figures results/reference/quickstart-20261201-174842 --out /tmp/figures
  pmvx figures my-run-20260101-120000 --only forest,heatmap
  pmvx figures my-run-20260101-120000 --metric wakeup_p999
  pmvx figures night-1 night-2 --out /tmp/figures
  pmvx figures with-2-vcpus with-4-vcpus with-8-vcpus --only scaling --out /tmp/figures`;

const REPORT_NOTES = `
One file that can be sent and opened anywhere: a browser draws the charts, marks answer to the pointer, tables sort by their titles,
and it prints. What guests printed is escaped; the page loads nothing and runs no script but its own.

Examples:
  pmvx report results/reference/quickstart-20261201-174842 --out /tmp
  pmvx report my-run-20260101-120000
  pmvx report my-run-20260101-120000 --metric wakeup_p999
  pmvx report night-1 night-2 --out /tmp`;

/** Adds what begins with runs that are there: `pmvx analyze | merge | compare | csv | figures | report`. */
export function addResultsCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('analyze')
    .description('print the table of one run or several taken together, and draw its figure')
    .argument('<runs...>', 'ids or folders of runs')
    .option('--metric <name>', "instead of each workload's primary one")
    .addOption(percentOption('--margin <percent>', 'differences up to it are equivalent; default 2'))
    .option('--mixed', 'runs of different engines, images or machines, all the same')
    .option('--out <dir>', 'folder for table and figure; default that of the run, if it is one')
    .option('--json', 'the table for programs')
    .option('--csv', 'the table as CSV')
    .option('--markdown', 'the table as Markdown')
    .addOption(failOnOption())
    .action(async (runs: string[], options: Omit<import('./analyze.ts').AnalyzeArgs, 'runs'>) => {
      const { analyzeCommand } = await import('./analyze.ts');
      finish(await analyzeCommand({ runs, ...options }, context));
    });

  program
    .command('merge')
    .description('put runs of one spec together as one run: shards, and what several hosts measured')
    .argument('<runs...>', 'ids or folders of runs')
    .requiredOption('--out <dir>', 'folder of the run that they become; a merged one takes in more')
    .option('--mixed', 'also runs of different images, versions or specs')
    .option('--no-report', 'records only: no table, no figure')
    .addOption(failOnOption())
    .addHelpText('after', MERGE_NOTES)
    .action(async (runs: string[], options: Omit<import('./merge.ts').MergeArgs, 'runs'>) => {
      const { mergeCommand } = await import('./merge.ts');
      finish(await mergeCommand({ runs, ...options }, context));
    });

  program
    .command('compare')
    .description(
      'what run B makes of every workload and policy against run A; exit code 6 when something became worse',
    )
    .argument('<a>', 'id or folder of a run: what was')
    .argument('<b>', 'id or folder of a run: what is')
    .option('--metric <name>', "instead of each workload's primary one")
    .addOption(percentOption('--margin <percent>', 'differences up to it are equivalent; default 2'))
    .option('--mixed', 'also runs of different engines')
    .option('--json', 'for programs')
    .option('--csv', 'as CSV')
    .addHelpText('after', COMPARE_NOTES)
    .action(
      async (
        before: string,
        after: string,
        options: Omit<import('./compare.ts').CompareArgs, 'before' | 'after'>,
      ) => {
        const { compareCommand } = await import('./compare.ts');
        finish(await compareCommand({ before, after, ...options }, context));
      },
    );

  program
    .command('csv')
    .description('print every trial of a run as CSV: a row for each metric, or with --wide a row a trial')
    .argument('<run>', 'id or folder of a run')
    .option('--wide', 'a row a trial, a column a metric')
    .option('--columns <names>', 'with commas; only these, in this order')
    .option('--out <file>', 'instead of stdout')
    .action(async (run: string, options: Omit<import('./csv.ts').CsvArgs, 'run'>) => {
      const { csvCommand } = await import('./csv.ts');
      finish(await csvCommand({ run, ...options }, context));
    });

  program
    .command('figures')
    .description('draw the figures of one run or several taken together, as Vega-Lite spec, SVG, PNG and PDF')
    .argument('<runs...>', 'ids or folders of runs')
    .option('--only <names>', 'with commas, of forest, heatmap, ecdf, scaling, pareto, timeline; default all')
    .option('--metric <name>', "instead of each workload's primary one, in forest and heatmap")
    .option('--mixed', 'runs of different engines, images or machines, all the same')
    .option('--out <dir>', "where to; default figures/ in the run's folder, if it is one")
    .addHelpText('after', FIGURES_NOTES)
    .action(async (runs: string[], options: Omit<import('./figures.ts').FiguresArgs, 'runs'>) => {
      const { figuresCommand } = await import('./figures.ts');
      finish(await figuresCommand({ runs, ...options }, context));
    });

  program
    .command('report')
    .description(
      'write one run, or several taken together, as one HTML page: findings in words, charts, tables, provenance; needs no network',
    )
    .argument('<runs...>', 'ids or folders of runs')
    .option('--metric <name>', "instead of each workload's primary one")
    .option('--mixed', 'runs of different engines, images or machines, all the same')
    .option('--out <dir>', "folder of report.html; default the run's own, if it is one")
    .addHelpText('after', REPORT_NOTES)
    .action(async (runs: string[], options: Omit<import('./report.ts').ReportArgs, 'runs'>) => {
      const { reportCommand } = await import('./report.ts');
      finish(await reportCommand({ runs, ...options }, context));
    });
}
