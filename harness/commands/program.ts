// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from 'commander';
import project from '../../package.json' with { type: 'json' };
import type { ExitCode } from '../core/errors.ts';
import { ENGINE_NAMES } from '../core/trial.ts';
import type { CommandContext } from './context.ts';
import { addTraceCommands } from './trace-program.ts';

const EXAMPLES = `
Examples:
  pmvx quickstart                                   build the quick image, run five schedulers, print the table
  pmvx validate my-experiment.yaml                  report every fault of a spec
  pmvx plan my-experiment.yaml                      print the trials in order, run nothing
  pmvx run my-experiment.yaml --jobs 2              run it
  pmvx run my-experiment.yaml --resume              go on where the last run of it was stopped
  pmvx analyze results/runs/ipc-first-look-20260101-120000
  pmvx whatif my-experiment.yaml --at warm          what would each policy have done from one and the same state?
  pmvx diverge my-experiment.yaml --policies a,b    the first context switch at which two policies differ
  pmvx learn matrix-20260101-120000 --map map.db    remember what a run showed
  pmvx query matrix-20260101-120000/0007 --map map.db   which policy did best when a system looked so?
  pmvx list policies
  pmvx doctor                                       which engines work on this machine, and why

Exit codes:
  0 done   1 unexpected error   2 wrong input, nothing was run   3 the machine lacks something
  4 image missing, corrupt or not trusted   5 some trials failed, timed out or crashed
  6 compare found something worse   130 stopped, can be resumed`;

const COMPARE_NOTES = `
For runs of one spec on two kernels, hosts or versions. Blocks of the same seed are paired. In CI:
  pmvx run my.yaml --out new && pmvx compare reference new     fails with exit code 6 when something became worse`;

const RUN_NOTES = `
Trials run in the order of \`pmvx plan\`, N at once, and are recorded one by one: what is recorded is never run again,
and what was running when the run was stopped is run again by --resume. A policy that the kernel refuses or ejects is a
finding, shown in the table. Exit code 5 says that some trial failed, timed out or crashed.

Examples:
  pmvx run harness/experiments/quickstart.yaml
  pmvx run my.yaml --jobs 4 --out /data/runs/night-1
  pmvx run my.yaml --out /data/runs/night-1 --resume
  pmvx run my.yaml --engine mock                    try a spec without any VM: invented numbers, no measurement`;

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

const FIGURES_NOTES = `
forest    ratio of each policy to the baseline with its interval, by workload; on several pages when there are many
heatmap   every workload by every policy; cells without a ratio say how their trials ended
ecdf      how latencies are distributed, where a workload tells that
scaling   the metric over the one number that a run varies for a workload, or over vCPUs
pareto    time against tail latency, fairness and energy, where a workload has metrics of two; which policies are on the front
timeline  what ran when on the host, and how it ended

A figure for which a run has no data is not drawn, and the reason is printed. The same records give the same bytes.

Examples:
  pmvx figures results/reference/quickstart-20261126-001352 --out /tmp/figures
  pmvx figures my-run-20260101-120000 --only forest,heatmap
  pmvx figures my-run-20260101-120000 --metric wakeup_p999
  pmvx figures with-2-vcpus with-4-vcpus with-8-vcpus --only scaling`;

const REPORT_NOTES = `
One file that can be sent and opened anywhere: a browser draws the charts, marks answer to the pointer, tables sort by their titles,
and it prints. What guests printed is escaped; the page loads nothing and runs no script but its own.

Examples:
  pmvx report results/reference/quickstart-20261126-001352 --out /tmp
  pmvx report my-run-20260101-120000
  pmvx report my-run-20260101-120000 --metric wakeup_p999`;

const NEW_NOTES = `
Nothing else is touched: a folder is all that a workload or a policy is.

Examples:
  pmvx new workload my-nginx
  pmvx new policy my-scheduler --kind struct_ops    a sched_ext scheduler in BPF C, with the loader of the image
  pmvx new policy scx_layered --kind process        one of cargo's registry, which the image full builds
  pmvx new policy my-setting --kind knob
  pmvx new experiment first-look
  pmvx lint my-nginx --trial`;

const LEARN_NOTES = `
A map is one file, or a schema of a PostgreSQL database with pgvector that many hosts share. Evidence is added and never overwritten: a run
that was learnt before changes nothing, and one that says something else under a known name is refused. Vectors come from
runs with probes: [cpu, mem, io, net] in their spec; of other runs outcomes are kept, and found once a run of the same workloads
on the same machine has brought vectors. All runs are learnt, or after an error none.

Examples:
  pmvx learn matrix-20260101-120000 --map map.db
  pmvx learn results/reference/* --map postgres://pmvx@db.example/maps?map=lab`;

const QUERY_NOTES = `
Costs are ratios to EEVDF's, below 1 is better. The map abstains, and names eevdf, when the upper end of every interval includes "no better",
when the nearest situation is farther than intervals were calibrated for, when kernel, topology, engine or feature
version are others, or when the policy failed nearby. Abstaining is an answer: exit code 0.

A vector file: {"features": "features-1", "machine": {"engine": "exact", "kernel": "7.3.4", "nodes": 1, "sockets": 1, "cores": 4,
"threads": 1, "cpu": "250 MIPS"}, "values": [...]}, of unit length.

Examples:
  pmvx query matrix-20260101-120000/0007 --map map.db
  pmvx query matrix-20260101-120000/0007 --window 2 --map map.db --objective tail
  pmvx query --vector now.json --map map.db --json`;

const MAP_NOTES = `
Examples:
  pmvx map show map.db
  pmvx map export map.db map.jsonl
  pmvx map import other.db map.jsonl
  pmvx map evaluate map.db                          judged on workloads that were left out
  pmvx map check map.db`;

const COST_NOTES = `
A snapshot of each machine, then three pairs of forks for each load, a short and a long one; figures are their difference, so
that start and end of a machine do not count. One machine at a time; two minutes a machine. Leave the host alone meanwhile: the
table shows processor time, which other work on the host disturbs little, but does disturb.

Examples:
  pmvx image costs quick
  pmvx image costs quick --vcpus 2,4 --quanta 5000 --json`;

const PAPER_NOTES = `
Claims and their tests are in paper-figs/claims.yaml. Each experiment is an ordinary run; a second call goes on where the first was
stopped. Verdicts go to paper-figs/REPRODUCTION.md and verdicts.json, figures to paper-figs/rendered/.

Examples:
  pmvx paper
  pmvx paper --judge --out results/reference/paper-quick
  pmvx paper --full --jobs 16`;

/** The command line: every command loads its own code when it is called, so that none waits for another's. */
export function buildProgram(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const program = new Command('pmvx')
    .description(
      'Measures kernel scheduling policies in VMs: a YAML spec in, proven and repeatable results out.',
    )
    .version(project.version, '--version')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', EXAMPLES)
    .helpCommand(true);

  program
    .command('quickstart')
    .description('build the quick image if it is absent, test it, run the first experiment, print the table')
    .option('--yes', 'ask nothing')
    .addOption(jobsOption())
    .action(async (options: { yes?: true; jobs?: number }) => {
      const { quickstartCommand } = await import('./quickstart.ts');
      finish(await quickstartCommand(options, context));
    });

  program
    .command('validate')
    .description('report every fault of a spec as file:line:col')
    .argument('<spec>', 'YAML file')
    .option('--json', 'for programs')
    .action(async (spec: string, options: { json?: true }) => {
      const { validateCommand } = await import('./validate.ts');
      finish(await validateCommand({ spec, json: options.json === true }, context));
    });

  program
    .command('plan')
    .description('print the trials of a spec in order; runs nothing')
    .argument('<spec>', 'YAML file')
    .option('--json', 'for programs')
    .action(async (spec: string, options: { json?: true }) => {
      const { planCommand } = await import('./plan.ts');
      finish(await planCommand({ spec, json: options.json === true }, context));
    });

  program
    .command('schema')
    .description('print the JSON Schema of a spec, for editors')
    .action(async () => {
      const { schemaCommand } = await import('./schema.ts');
      finish(await schemaCommand({}, context));
    });

  program
    .command('run')
    .description('run a spec, or go on with a run of it')
    .argument('<spec>', 'YAML file')
    .addOption(jobsOption())
    .addOption(new Option('--engine <name>', "instead of the spec's").choices(ENGINE_NAMES))
    .option('--out <dir>', "folder of the run; default results/runs/<the spec's name>-<time>")
    .option(
      '--resume [run]',
      'go on with a run: its id or folder; default --out, else the latest of this spec',
    )
    .addHelpText('after', RUN_NOTES)
    .action(async (spec: string, options: Omit<import('./run.ts').RunOptions, 'spec'>) => {
      const { runCommand } = await import('./run.ts');
      finish(await runCommand({ spec, ...options }, context));
    });

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
    .action(async (runs: string[], options: Omit<import('./analyze.ts').AnalyzeArgs, 'runs'>) => {
      const { analyzeCommand } = await import('./analyze.ts');
      finish(await analyzeCommand({ runs, ...options }, context));
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
    .description('draw the figures of a run as Vega-Lite spec, SVG, PNG and PDF')
    .argument('<run>', 'id or folder of a run')
    .argument('[others...]', 'runs that differ from it in vCPUs, for the scaling curve')
    .option('--only <names>', 'with commas, of forest, heatmap, ecdf, scaling, pareto, timeline; default all')
    .option('--metric <name>', "instead of each workload's primary one, in forest and heatmap")
    .option('--out <dir>', "where to; default figures/ in the run's folder")
    .addHelpText('after', FIGURES_NOTES)
    .action(
      async (
        run: string,
        others: readonly string[],
        options: Omit<import('./figures.ts').FiguresArgs, 'run' | 'others'>,
      ) => {
        const { figuresCommand } = await import('./figures.ts');
        finish(await figuresCommand({ run, others, ...options }, context));
      },
    );

  program
    .command('report')
    .description(
      'write a run as one HTML page: findings in words, charts, tables, provenance; needs no network',
    )
    .argument('<run>', 'id or folder of a run')
    .option('--metric <name>', "instead of each workload's primary one")
    .option('--out <dir>', "folder of report.html; default the run's own")
    .addHelpText('after', REPORT_NOTES)
    .action(async (run: string, options: Omit<import('./report.ts').ReportArgs, 'run'>) => {
      const { reportCommand } = await import('./report.ts');
      finish(await reportCommand({ run, ...options }, context));
    });

  program
    .command('fidelity')
    .description('run one spec on every engine that works here, and say how far they agree')
    .argument('[spec]', 'YAML file; default harness/experiments/fidelity.yaml')
    .option('--engines <names>', 'which to try; default exact,tcg,kvm,native')
    .option('--out <dir>', 'folder of the experiment; one that exists is gone on with')
    .addOption(jobsOption())
    .action(async (spec: string | undefined, options: { engines?: string; out?: string; jobs?: number }) => {
      const { fidelityCommand, parseEngines } = await import('./fidelity.ts');
      const { engines, ...rest } = options;
      const given = engines === undefined ? {} : { engines: parseEngines(engines) };
      finish(await fidelityCommand({ ...(spec === undefined ? {} : { spec }), ...given, ...rest }, context));
    });

  program
    .command('paper')
    .description("run what the paper's claims need, and say of each whether it is reproduced")
    .addOption(new Option('--quick', 'within 45 minutes on two cores (default)').conflicts('full'))
    .option('--full', 'all workloads and schedulers, 20 blocks: many hours')
    .option('--judge', 'run nothing: judge the runs that are there')
    .option('--out <dir>', 'folder of the runs; those in it are gone on with; default results/paper/<size>')
    .addOption(jobsOption())
    .addHelpText('after', PAPER_NOTES)
    .action(async (options: { full?: true; judge?: true; out?: string; jobs?: number }) => {
      const { paperCommand } = await import('./paper.ts');
      const { full, ...rest } = options;
      finish(await paperCommand({ size: full === true ? 'full' : 'quick', ...rest }, context));
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

  program
    .command('list')
    .description('show what there is')
    .argument('<what>', 'policies, workloads, images or runs')
    .option('--json', 'for programs')
    .action(async (what: string, options: { json?: true }) => {
      const { listCommand } = await import('./list.ts');
      const { imageRows } = await import('./image-rows.ts');
      finish(await listCommand({ what, json: options.json === true }, context, imageRows));
    });

  program
    .command('new')
    .description('make a workload, a policy or an experiment that passes its checks, to be filled in')
    .argument('<what>', 'workload, policy or experiment')
    .argument('<name>', 'its folder, or file')
    .option('--kind <kind>', 'of a policy: process, struct_ops or knob')
    .addHelpText('after', NEW_NOTES)
    .action(async (what: string, name: string, options: { kind?: string }) => {
      const { newCommand } = await import('./new.ts');
      finish(await newCommand({ what, name, ...options }, context));
    });

  program
    .command('lint')
    .description('check a workload or a policy, or all')
    .argument('[name]', 'of a workload or policy')
    .option('--trial', 'also run it on exact: one seed twice, another once')
    .action(async (name: string | undefined, options: { trial?: true }) => {
      const { lintCommand } = await import('./lint.ts');
      finish(await lintCommand({ ...(name === undefined ? {} : { name }), ...options }, context));
    });

  program
    .command('doctor')
    .description('try every engine on this machine; say which work, and why')
    .option('--json', 'for programs')
    .action(async (options: { json?: true }) => {
      const { doctorCommand } = await import('./doctor.ts');
      finish(await doctorCommand({ json: options.json === true }, context));
    });

  addForkCommands(program, context, finish);
  addMapCommands(program, context, finish);
  addTraceCommands(program, context, finish);
  addBenchCommands(program, context, finish);
  addImageCommands(program, context, finish);
  return program;
}

function addForkCommands(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
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
}

function addMapCommands(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  const mapOption = '--map <map>';
  const aboutMap = 'file of the map, or postgres://user@host/database?map=name';

  program
    .command('vectors')
    .description('how well vectors tell workloads apart, from runs with probes')
    .argument('<runs...>', 'ids or folders of runs')
    .option('--json', 'for programs')
    .option('--fit <file>', "make the features' scales anew from these runs; a new version of the features")
    .action(async (runs: string[], options: { json?: true; fit?: string }) => {
      const { vectorsCommand } = await import('./vectors.ts');
      finish(await vectorsCommand({ runs, ...options }, context));
    });

  program
    .command('learn')
    .description('add what runs showed to a policy map')
    .argument('<runs...>', 'ids or folders of runs')
    .requiredOption(mapOption, `${aboutMap}; made when there is none`)
    .option('--json', 'for programs')
    .addHelpText('after', LEARN_NOTES)
    .action(async (runs: string[], options: { map: string; json?: true }) => {
      const { learnCommand } = await import('./learn.ts');
      finish(await learnCommand({ runs, ...options }, context));
    });

  program
    .command('query')
    .description('ask a policy map which policy did best when a system looked so, and how sure that is')
    .argument('[trial]', 'RUN/TRIAL of which the vector is asked about')
    .requiredOption(mapOption, aboutMap)
    .addOption(
      numberOption('--window <n>', 'a window of the trial, from 0, instead of the whole run', 0, 999_999),
    )
    .option('--vector <file>', 'a vector as JSON instead; - for stdin')
    .option('--live', 'this host instead, as it is now')
    .option('--objective <name>', 'primary, time, tail or energy', 'primary')
    .option('--json', 'for programs')
    .addHelpText('after', QUERY_NOTES)
    .action(async (trial: string | undefined, options: Omit<import('./query.ts').QueryArgs, 'trial'>) => {
      const { queryCommand } = await import('./query.ts');
      finish(await queryCommand({ ...(trial === undefined ? {} : { trial }), ...options }, context));
    });

  const map = program
    .command('map')
    .description('policy maps: show, export, import, check')
    .addHelpText('after', MAP_NOTES);
  map
    .command('show')
    .description('what a map holds')
    .argument('<map>', aboutMap)
    .option('--json', 'for programs')
    .action(async (where: string, options: { json?: true }) => {
      const { mapShowCommand } = await import('./map.ts');
      finish(await mapShowCommand({ map: where, ...options }, context));
    });
  map
    .command('export')
    .description('all evidence of a map as JSON Lines')
    .argument('<map>', aboutMap)
    .argument('[file]', 'default: stdout')
    .action(async (where: string, file: string | undefined) => {
      const { mapExportCommand } = await import('./map.ts');
      finish(await mapExportCommand({ map: where, ...(file === undefined ? {} : { file }) }, context));
    });
  map
    .command('import')
    .description('add evidence that map export wrote')
    .argument('<map>', `${aboutMap}; made when there is none`)
    .argument('<file>', '- for stdin')
    .action(async (where: string, file: string) => {
      const { mapImportCommand } = await import('./map.ts');
      finish(await mapImportCommand({ map: where, file }, context));
    });
  map
    .command('evaluate')
    .description('how good recommendations are for workloads that are left out, by each method')
    .argument('<map>', aboutMap)
    .option('--objective <name>', 'primary, time, tail or energy', 'primary')
    .option('--ablate', 'also the regret without each feature, and with it alone')
    .option('--json', 'for programs')
    .action(async (where: string, options: { objective?: string; ablate?: true; json?: true }) => {
      const { mapEvaluateCommand } = await import('./map-evaluate.ts');
      finish(await mapEvaluateCommand({ map: where, ...options }, context));
    });
  map
    .command('check')
    .description('compare all that is derived in a map with its evidence; bring an older schema up to date')
    .argument('<map>', aboutMap)
    .action(async (where: string) => {
      const { mapCheckCommand } = await import('./map.ts');
      finish(await mapCheckCommand({ map: where }, context));
    });
}

function addBenchCommands(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
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

function addImageCommands(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  const image = program.command('image').description('build, verify, list and self-test images');

  image
    .command('build')
    .description('build an image from vm-images/recipes/<recipe>.yaml')
    .argument('<recipe>', 'name of a recipe')
    .option('--force', 'although it is there; fetches packages anew')
    .action(async (recipe: string, options: { force?: true }) => {
      const { imageBuildCommand } = await import('./image.ts');
      finish(await imageBuildCommand({ recipe, force: options.force === true }, context));
    });

  image
    .command('lock')
    .description('record what a built image is made of in vm-images/locks/<recipe>.json')
    .argument('<recipe>', 'name of a recipe')
    .action(async (recipe: string) => {
      const { imageLockCommand } = await import('./image.ts');
      finish(await imageLockCommand({ recipe }, context));
    });

  image
    .command('verify')
    .description('recompute the digests of an image')
    .argument('<recipe>', 'name of a recipe')
    .action(async (recipe: string) => {
      const { imageVerifyCommand } = await import('./image.ts');
      finish(await imageVerifyCommand({ recipe }, context));
    });

  image
    .command('selftest')
    .description('prove that an image is exact and shares time equally')
    .argument('<recipe>', 'name of a recipe')
    .option('--force', 'although it passed before')
    .action(async (recipe: string, options: { force?: true }) => {
      const { imageSelftestCommand } = await import('./image.ts');
      finish(await imageSelftestCommand({ recipe, force: options.force === true }, context));
    });

  image
    .command('costs')
    .description('measure what a virtual second costs the host, by vCPUs, load and quantum')
    .argument('<recipe>', 'name of a recipe')
    .option('--vcpus <list>', 'machines', '1,2,4,8,16')
    .option('--quanta <list>', 'turns of a vCPU, in instructions', '5000,20000')
    .option('--json', 'for programs; also wall time')
    .addHelpText('after', COST_NOTES)
    .action(async (recipe: string, options: { vcpus: string; quanta: string; json?: true }) => {
      const { imageCostsCommand, parseNumbers } = await import('./image-costs.ts');
      const vcpus = parseNumbers(
        'vcpus',
        options.vcpus,
        (n) => [1, 2, 4, 8, 16].includes(n),
        'Write 1, 2, 4, 8 or 16, like 1,2,4',
      );
      const quanta = parseNumbers(
        'quanta',
        options.quanta,
        (n) => n >= 512,
        'Write numbers from 512, like 5000,20000',
      );
      finish(await imageCostsCommand({ recipe, vcpus, quanta, json: options.json === true }, context));
    });

  image
    .command('list')
    .description('show recipes and built images')
    .option('--json', 'for programs')
    .action(async (options: { json?: true }) => {
      const { listCommand } = await import('./list.ts');
      const { imageRows } = await import('./image-rows.ts');
      finish(await listCommand({ what: 'images', json: options.json === true }, context, imageRows));
    });
}

function jobsOption(): Option {
  return numberOption('--jobs <n>', 'VMs at once; default: the number of cores', 1, 1024);
}

function percentOption(flags: string, about: string): Option {
  return new Option(flags, about).argParser((text) => {
    const number = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || number > 100) {
      throw new InvalidArgumentError('Give a number of per cent from 0 to 100, like 2 or 0.5.');
    }
    return number;
  });
}

function numberOption(flags: string, about: string, least: number, most: number): Option {
  return new Option(flags, about).argParser((text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < least || number > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return number;
  });
}

/** Commander's complaint as one line in the project's form. */
function oneLine(text: string): string {
  const words = text
    .trim()
    .replace(/^error: /, '')
    .replaceAll('\n', ' ');
  return `pmvx: ${/[.)?]$/.test(words) ? words : `${words}.`} Try \`pmvx --help\`.\n`;
}
