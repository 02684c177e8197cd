// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from 'commander';
import project from '../../package.json' with { type: 'json' };
import type { ExitCode } from '../core/errors.ts';
import { ENGINE_NAMES } from '../core/trial.ts';
import type { CommandContext } from './context.ts';

const EXAMPLES = `
Examples:
  pmvx quickstart                                   build the quick image, run five schedulers, print the table
  pmvx validate my-experiment.yaml                  report every fault of a spec
  pmvx plan my-experiment.yaml                      print the trials in order, run nothing
  pmvx run my-experiment.yaml --jobs 2              run it
  pmvx run my-experiment.yaml --resume              go on where the last run of it was stopped
  pmvx analyze results/runs/ipc-first-look-20260101-120000
  pmvx list policies
  pmvx doctor                                       which engines work on this machine, and why

Exit codes:
  0 done   1 unexpected error   2 wrong input, nothing was run   3 the machine lacks something
  4 image missing, corrupt or not trusted   5 some trials failed, timed out or crashed   130 stopped, can be resumed`;

const RUN_NOTES = `
Trials run in the order of \`pmvx plan\`, N at once, and are recorded one by one: what is recorded is never run again,
and what was running when the run was stopped is run again by --resume. A policy that the kernel refuses or ejects is a
finding, shown in the table. Exit code 5 says that some trial failed, timed out or crashed.

Examples:
  pmvx run harness/experiments/quickstart.yaml
  pmvx run my.yaml --jobs 4 --out /data/runs/night-1
  pmvx run my.yaml --out /data/runs/night-1 --resume
  pmvx run my.yaml --engine mock                    try a spec without any VM: invented numbers, no measurement`;

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
    .description('print the table of a run and draw its figure')
    .argument('<run>', 'id or folder of a run')
    .option('--metric <name>', "instead of each workload's primary one")
    .option('--json', 'the table for programs')
    .option('--csv', 'the table as CSV')
    .option('--markdown', 'the table as Markdown')
    .action(async (run: string, options: Omit<import('./analyze.ts').AnalyzeArgs, 'run'>) => {
      const { analyzeCommand } = await import('./analyze.ts');
      finish(await analyzeCommand({ run, ...options }, context));
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
    .command('doctor')
    .description('try every engine on this machine; say which work, and why')
    .option('--json', 'for programs')
    .action(async (options: { json?: true }) => {
      const { doctorCommand } = await import('./doctor.ts');
      finish(await doctorCommand({ json: options.json === true }, context));
    });

  addImageCommands(program, context, finish);
  return program;
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
  return new Option('--jobs <n>', 'VMs at once; default: the number of cores').argParser((text) => {
    const jobs = Number(text);
    if (!/^\d+$/.test(text) || jobs < 1 || jobs > 1024) {
      throw new InvalidArgumentError('Give a whole number from 1 to 1024.');
    }
    return jobs;
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
