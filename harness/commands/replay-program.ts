// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import { ENGINE_NAMES } from '../core/trial.ts';
import type { CommandContext } from './context.ts';
import { jobsOption, numberOption } from './options.ts';

const REPLAY_NOTES = `
A day is YAML: phases one after another, each some rounds of one or more workloads, with parameters that may rise or fall. All arms
start from one frozen machine with one seed, so that they differ in nothing else:

  eevdf             the kernel's own scheduler; always there, for all is compared with it
  static:POLICY     one policy from begin to end
  auto              pmvx autotune lives in the guest, asks the map and switches; its processor time is paid by the phases
  oracle            knows the best of EEVDF and the static arms for each phase of its block, and really switches

Days that ship: harness/replay/days. The image runtime has Node for the daemon: pmvx image build runtime.

Examples:
  pmvx replay harness/replay/days/strange-day.yaml --arms eevdf,static:pmvx_chain --seeds 2
  pmvx replay harness/replay/days/mixed-day.yaml --map map.db \\
      --arms eevdf,static:pmvx_chain,static:pmvx_latency,static:pmvx_batch,auto,oracle --seeds 10
  pmvx replay harness/replay/days/mixed-day.yaml ... --resume     go on where it was stopped
  pmvx replay my-day.yaml --engine native --map map.db --arms static:pmvx_chain,auto
      on this host itself: root, and a kernel with sched_ext, to which policies are then attached`;

/** Adds `pmvx replay`. */
export function addReplayCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('replay')
    .description(
      'live through a day of phases under EEVDF, static policies, the daemon, and perfect knowledge',
    )
    .argument('<day>', 'path of a day, such as harness/replay/days/mixed-day.yaml')
    .requiredOption('--arms <list>', 'eevdf, auto, oracle, static:POLICY, with commas')
    .option('--map <file>', 'what pmvx learn made; auto asks it')
    .addOption(numberOption('--seeds <n>', 'blocks: every arm lives each seed', 1, 1000).default(5))
    .addOption(numberOption('--seed-base <n>', 'seeds are derived from it', 0, 2 ** 31 - 1).default(1))
    .addOption(numberOption('--deadline <s>', 'longest day, guest seconds', 1, 3600).default(600))
    .addOption(jobsOption())
    .addOption(new Option('--engine <name>', "instead of the day's").choices(ENGINE_NAMES))
    .option('--out <dir>', 'folder of the run; default results/runs/<name>-<time>')
    .option('--resume [run]', 'go on with a run that was stopped: the last one, or this')
    .addHelpText('after', REPLAY_NOTES)
    .action(async (day: string, options: Omit<import('./replay.ts').ReplayArgs, 'day'>) => {
      const { replayCommand } = await import('./replay.ts');
      finish(await replayCommand({ day, ...options }, context));
    });
}
