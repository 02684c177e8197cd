// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';

const NEW_NOTES = `
Nothing else is touched: a folder is all that a workload or a policy is.

Examples:
  pmvx new workload my-nginx
  pmvx new policy my-scheduler --kind struct_ops    a sched_ext scheduler in BPF C, with the loader of the image
  pmvx new policy scx_layered --kind process        one of cargo's registry, which the image full builds
  pmvx new policy my-setting --kind knob
  pmvx new experiment first-look
  pmvx lint my-nginx --trial`;

/** Adds what is about the parts that specs name, and the machine: `pmvx list | new | lint | doctor`. */
export function addCatalogCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
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
}
