// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { numberOption } from './options.ts';

const AUTOTUNE_NOTES = `
Each second (windowMs) the machine is observed, the map is asked, and when enough windows in a row name another policy and no safeguard
speaks against it, that policy takes effect. Every decision is a line of the journal. Needs root, a kernel with BTF, and
for anything but settings one with sched_ext; --dry-run decides and records, and touches nothing.

  stop      latched kill switch: EEVDF, also after a restart, until resume; so do SIGUSR1, and a file 'killed' in the state folder
  SIGTERM   ends the daemon: EEVDF, settings restored; nothing is latched
  reload    reads map and configuration anew; so does SIGHUP. What is faulty is refused, and all stays as it was
  status    exit code 3 when no daemon listens

Metrics go to a file, a socket (unix:/run/pmvx/metrics.sock) or a port (127.0.0.1:9469) when you ask for them.

Examples:
  sudo pmvx autotune --map map.db --dry-run
  sudo pmvx autotune --map map.db --config /etc/pmvx/autotune.yaml --metrics /var/lib/node_exporter/pmvx.prom
  sudo pmvx autotune status
  sudo pmvx top
  sudo pmvx explain                                 the last decision in words`;

const EXPLAIN_NOTES = `
Examples:
  sudo pmvx explain                                 the last decision
  sudo pmvx explain 1042
  pmvx explain --journal journal.jsonl --switches   all that changed something, oldest first`;

/** Adds the runtime: `pmvx autotune | explain | top`. */
export function addAutotuneCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const socketOption = ['--socket <path>', 'control socket; default /run/pmvx/autotune.sock'] as const;

  const autotune = program
    .command('autotune')
    .description('choose the scheduling policy of this machine as its load changes, and keep it from harm')
    .option('--map <map>', 'file of the map, or postgres://user@host/database?map=name')
    .option('--config <file>', 'YAML; every key has a default')
    .option('--dry-run', 'decide and record; touch nothing')
    .option('--metrics <place>', 'OpenMetrics text: a file, unix:PATH or HOST:PORT')
    .option('--journal <file>', 'decisions as JSON lines; default journal.jsonl in the state folder')
    .option(...socketOption)
    .option('--state <dir>', 'what is kept between two starts; default /var/lib/pmvx')
    .addHelpText('after', AUTOTUNE_NOTES)
    .action(async (options: import('./autotune.ts').AutotuneArgs) => {
      const { autotuneCommand } = await import('./autotune.ts');
      finish(await autotuneCommand(options, context));
    });

  for (const [name, about] of [
    ['stop', 'latch the kill switch: EEVDF until resume'],
    ['status', 'what the daemon says of itself'],
    ['reload', 'read map and configuration anew'],
    ['resume', 'open the kill switch'],
  ] as const) {
    autotune
      .command(name)
      .description(about)
      .option('--json', 'for programs')
      .option('--why <words>', 'recorded with it')
      .action(async (_options: unknown, command: Command) => {
        const { controlCommand } = await import('./autotune-control.ts');
        finish(await controlCommand({ ...command.optsWithGlobals(), method: name }, context));
      });
  }

  program
    .command('explain')
    .description('a decision of pmvx autotune in words')
    .argument('[seq]', 'its number; default the last')
    .option('--journal <file>', 'read from a journal instead of a running daemon')
    .option('--switches', 'all lines of the journal that tell of something done')
    .option(...socketOption)
    .addHelpText('after', EXPLAIN_NOTES)
    .action(async (seq: string | undefined, options: Omit<import('./explain.ts').ExplainArgs, 'seq'>) => {
      const { explainCommand } = await import('./explain.ts');
      finish(await explainCommand({ ...options, ...(seq === undefined ? {} : { seq }) }, context));
    });

  program
    .command('top')
    .description('regime, policy, dwell left, health and last decisions of pmvx autotune, live')
    .option(...socketOption)
    .addOption(numberOption('--times <n>', 'refreshes, then end; default until Ctrl-C', 1, 1_000_000))
    .action(async (options: import('./top.ts').TopArgs) => {
      const { topCommand } = await import('./top.ts');
      finish(await topCommand(options, context));
    });
}
