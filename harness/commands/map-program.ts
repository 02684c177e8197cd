// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { numberOption } from './options.ts';

const LEARN_NOTES = `
A map is one file, or a schema of a PostgreSQL database with pgvector that many hosts share. Evidence is added and never overwritten: a run
that was learnt before changes nothing, and one that says something else under a known name is refused. Vectors come from
runs with probes: [cpu, mem, io, net] in their spec; of other runs outcomes are kept, and found once a run of the same workloads
on the same machine has brought vectors. All runs are learnt, or after an error none.

--windows learns up to four windows of each trial beside the whole run, while the run's consoles/ are there. A run that does the same all the
time needs none: its windows look like the whole (results/reference/windows.md).

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
  pmvx query --vector now.json --map map.db --json
  sudo pmvx query --live --for 5000 --map map.db`;

const MAP_NOTES = `
Examples:
  pmvx map show map.db
  pmvx map export map.db map.jsonl
  pmvx map import other.db map.jsonl
  pmvx map evaluate map.db                          judged on workloads that were left out
  pmvx map check map.db
  pmvx map grant postgres://owner@db.example/maps?map=lab hosts`;

const GRANT_NOTES = `
Hosts that ask the map need to read, labs that add evidence need to learn. Only who made the map brings it to a newer schema (pmvx map check).

Examples:
  pmvx map grant postgres://owner@db.example/maps?map=lab hosts
  pmvx map grant postgres://owner@db.example/maps?map=lab labs --access learn`;

/** Adds vectors and maps of policies: `pmvx vectors | learn | query | map`. */
export function addMapCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const mapOption = '--map <map>';
  const aboutMap = 'file of the map, or postgres://user@host/database?map=name';

  program
    .command('vectors')
    .description('how well vectors tell workloads apart, from runs with probes')
    .argument('<runs...>', 'ids or folders of runs')
    .option('--json', 'for programs')
    .option('--fit <file>', "make the features' scales anew from these runs; a new version of the features")
    .option('--windows', 'how near windows of a run stay to the whole of it, by their length, instead')
    .action(
      async (runs: string[], { windows, ...options }: { json?: true; fit?: string; windows?: true }) => {
        if (windows === true) {
          const { vectorWindowsCommand } = await import('./vector-windows.ts');
          finish(await vectorWindowsCommand({ runs, ...options }, context));
          return;
        }
        const { vectorsCommand } = await import('./vectors.ts');
        finish(await vectorsCommand({ runs, ...options }, context));
      },
    );

  program
    .command('learn')
    .description('add what runs showed to a policy map')
    .argument('<runs...>', 'ids or folders of runs')
    .requiredOption(mapOption, `${aboutMap}; made when there is none`)
    .option('--windows', 'also how windows of about a second looked, for runs of several phases')
    .option('--json', 'for programs')
    .addHelpText('after', LEARN_NOTES)
    .action(async (runs: string[], options: { map: string; windows?: true; json?: true }) => {
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
    .option('--live', 'this host instead, as it is now; needs root')
    .addOption(numberOption('--for <ms>', 'how long --live looks; default 1000', 250, 60_000))
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
    .option(
      '--noise <runs...>',
      'also what an oracle of another block would reach, with the noise of these runs',
    )
    .option('--json', 'for programs')
    .action(
      async (
        where: string,
        options: { objective?: string; ablate?: true; noise?: string[]; json?: true },
      ) => {
        const { mapEvaluateCommand } = await import('./map-evaluate.ts');
        finish(await mapEvaluateCommand({ map: where, ...options }, context));
      },
    );
  map
    .command('check')
    .description('compare all that is derived in a map with its evidence; bring an older schema up to date')
    .argument('<map>', aboutMap)
    .action(async (where: string) => {
      const { mapCheckCommand } = await import('./map.ts');
      finish(await mapCheckCommand({ map: where }, context));
    });
  map
    .command('grant')
    .description('let a role of the PostgreSQL server read a map, or learn; nothing more')
    .argument('<map>', 'postgres://user@host/database?map=name, as who made it')
    .argument('<role>', 'a role that exists')
    .addOption(new Option('--access <access>', 'what it may do').choices(['read', 'learn']).default('read'))
    .addHelpText('after', GRANT_NOTES)
    .action(async (where: string, role: string, options: { access: 'read' | 'learn' }) => {
      const { mapGrantCommand } = await import('./map.ts');
      finish(await mapGrantCommand({ map: where, role, ...options }, context));
    });
}
