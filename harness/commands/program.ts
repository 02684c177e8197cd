// SPDX-License-Identifier: Apache-2.0

import { Command } from 'commander';
import project from '../../package.json' with { type: 'json' };
import type { ExitCode } from '../core/errors.ts';
import { addAutotuneCommands } from './autotune-program.ts';
import { addBenchCommands } from './bench-program.ts';
import { addCatalogCommands } from './catalog-program.ts';
import type { CommandContext } from './context.ts';
import { addForkCommands } from './fork-program.ts';
import { addImageCommands } from './image-program.ts';
import { addMapCommands } from './map-program.ts';
import { addMcpCommand } from './mcp-program.ts';
import { addPaperCommands } from './paper-program.ts';
import { addReplayCommands } from './replay-program.ts';
import { addResultsCommands } from './results-program.ts';
import { addSelftestCommands } from './selftest-program.ts';
import { addSlurmCommands } from './slurm-program.ts';
import { addSpecCommands } from './spec-program.ts';
import { addTraceCommands } from './trace-program.ts';
import { addTuneCommand } from './tune-program.ts';

const EXAMPLES = `
Examples:
  pmvx quickstart                                   build the quick image, run EEVDF and three schedulers, print the table
  pmvx validate my-experiment.yaml                  report every fault of a spec
  pmvx plan my-experiment.yaml                      print the trials in order, run nothing
  pmvx run my-experiment.yaml --jobs 2              run it
  pmvx run my-experiment.yaml --resume              go on where the last run of it was stopped
  pmvx analyze results/runs/ipc-first-look-20260101-120000
  pmvx whatif my-experiment.yaml --at warm          what would each policy have done from one and the same state?
  pmvx diverge my-experiment.yaml --policies a,b    the first context switch at which two policies differ
  pmvx learn matrix-20260101-120000 --map map.db    remember what a run showed
  pmvx query matrix-20260101-120000/0007 --map map.db   which policy did best when a system looked so?
  sudo pmvx autotune --map map.db --dry-run         what would the daemon do on this machine?
  pmvx mcp --map map.db                             serve agents over stdio
  pmvx list policies
  pmvx doctor                                       which engines work on this machine, and why

Exit codes:
  0 done   1 unexpected error   2 wrong input, nothing was run   3 the machine lacks something
  4 image missing, corrupt or not trusted   5 some trials failed, timed out or crashed
  6 compare found something worse   130 stopped, can be resumed`;

/** Each adds its group of commands, in the order of `pmvx --help`. */
const GROUPS = [
  addSpecCommands,
  addResultsCommands,
  addSlurmCommands,
  addPaperCommands,
  addCatalogCommands,
  addForkCommands,
  addMapCommands,
  addAutotuneCommands,
  addReplayCommands,
  addMcpCommand,
  addTuneCommand,
  addTraceCommands,
  addBenchCommands,
  addImageCommands,
  addSelftestCommands,
] as const;

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

  for (const add of GROUPS) add(program, context, finish);
  return program;
}

/** Commander's complaint as one line in the project's form. */
function oneLine(text: string): string {
  const words = text
    .trim()
    .replace(/^error: /, '')
    .replaceAll('\n', ' ');
  return `pmvx: ${/[.)?]$/.test(words) ? words : `${words}.`} Try \`pmvx --help\`.\n`;
}
