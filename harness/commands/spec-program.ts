// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import { ENGINE_NAMES } from '../core/trial.ts';
import type { CommandContext } from './context.ts';
import { failOnOption, jobsOption, shardOption } from './options.ts';
import { addSlurmOptions, type SlurmOptions } from './slurm-options.ts';

const RUN_NOTES = `
Trials run in the order of \`pmvx plan\`, N at once, and are recorded one by one: what is recorded is never run again,
and what was running when the run was stopped is run again by --resume. A policy that the kernel refuses or ejects is a
finding, shown in the table. Exit code 5 says that some trial failed, timed out or crashed, or ended as --fail-on names.

Examples:
  pmvx run harness/experiments/quickstart.yaml
  pmvx run my.yaml --jobs 4 --out /data/runs/night-1
  pmvx run my.yaml --out /data/runs/night-1 --resume
  pmvx run my.yaml --shard 2/8 --out parts/2        on the second of eight hosts; then pmvx merge parts/* --out night-1
  pmvx run my.yaml --on slurm --partition long --out /shared/night-1     see \`pmvx slurm --help\`
  pmvx run my.yaml --fail-on refused,ejected        a refused or ejected policy is a failure: for CI
  pmvx run my.yaml --engine mock                    try a spec without any VM: invented numbers, no measurement`;

/** Adds what begins with a spec: `pmvx quickstart | validate | plan | schema | run | fidelity`. */
export function addSpecCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('quickstart')
    .description('build the quick image if it is absent, test it, run the first experiment, print the table')
    .option('--yes', 'ask nothing')
    .addOption(jobsOption())
    .addOption(failOnOption())
    .action(async (options: import('./quickstart.ts').QuickstartOptions) => {
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

  const run = program
    .command('run')
    .description('run a spec, or go on with a run of it')
    .argument('<spec>', 'YAML file')
    .addOption(jobsOption())
    .addOption(new Option('--engine <name>', "instead of the spec's").choices(ENGINE_NAMES))
    .addOption(shardOption())
    .addOption(new Option('--on <where>', 'elsewhere than on this host').choices(['slurm']))
    .option('--out <dir>', "folder of the run; default results/runs/<the spec's name>-<time>")
    .option(
      '--resume [run]',
      'go on with a run: its id or folder; default --out, else the latest of this spec',
    )
    .option('--no-report', 'records only: no table, no figure; `pmvx analyze` makes them later')
    .addOption(failOnOption())
    .addHelpText('after', RUN_NOTES);
  addSlurmOptions(run).action(
    async (spec: string, options: Omit<import('./run.ts').RunOptions & SlurmOptions, 'spec'>) => {
      const { runCommand } = await import('./run.ts');
      finish(await runCommand({ spec, ...options }, context));
    },
  );

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
}
