// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { EngineName } from '../core/trial.ts';
import { type Arm, parseArms } from '../replay/arms.ts';
import { dayEngine } from '../replay/day-engine.ts';
import { dayInputs } from '../replay/day-inputs.ts';
import { readDay } from '../replay/read-day.ts';
import { planReplay } from '../replay/replay-plan.ts';
import { readLog } from '../store/read-log.ts';
import type { CommandContext } from './context.ts';
import { runPlan } from './run.ts';
import type { PlaceOptions } from './run-place.ts';
import { shellWords } from './shell-words.ts';

export interface ReplayArgs extends PlaceOptions {
  readonly day: string;
  readonly arms: string;
  readonly map?: string;
  readonly seeds: number;
  readonly seedBase: number;
  readonly jobs?: number;
  readonly engine?: EngineName;
  readonly deadline: number;
}

/** `pmvx replay DAY --arms ...`: a day of phases under each arm, from one state of a machine. */
export async function replayCommand(args: ReplayArgs, context: CommandContext): Promise<ExitCode> {
  const catalog = await context.catalog();
  const day = await readDay(args.day, catalog, args.engine);
  const arms = parseArms(args.arms, catalog);
  const map = await readMapFile(args.map, arms);
  const inputs = dayInputs({ root: context.root, day, arms, catalog, ...(map === undefined ? {} : { map }) });
  const replay = planReplay(day, catalog, {
    arms,
    seeds: { base: args.seedBase, count: args.seeds },
    inputs: inputs.digests,
    deadlineS: args.deadline,
  });
  const { spec, plan } = replay;
  return runPlan(
    {
      spec,
      plan,
      catalog: { ...catalog, ...replay.catalog },
      dress: (engine, log) =>
        dayEngine(engine, {
          ...{ day, arms, trials: plan.trials, inputs, catalog: replay.catalog, log },
          whole: async () => (await readLog(log.path)).records,
        }),
      ended: async (folder, end) => {
        if (end === 'interrupted') return;
        const { reportReplay } = await import('./replay-report.ts');
        await reportReplay({ folder, day, arms, catalog: replay.catalog }, context);
      },
    },
    { ...args, spec: args.day, report: false, goOnWith: goOnWith(args) },
    context,
  );
}

async function readMapFile(path: string | undefined, arms: readonly Arm[]): Promise<Buffer | undefined> {
  const asked = arms.some(({ kind }) => kind === 'auto' || kind === 'oracle');
  if (path === undefined) {
    if (!asked) return undefined;
    throw new PmvxError(ExitCode.usage, {
      where: '--map',
      what: 'the daemon lives in the arms auto and oracle, and has no policy map',
      next: 'pmvx learn RUN --map FILE makes one',
    });
  }
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new PmvxError(ExitCode.usage, {
      where: path,
      what: `the map cannot be read (${error.code})`,
      next: 'Give the file of a map that pmvx learn made',
    });
  });
}

function goOnWith(args: ReplayArgs): string {
  const { day, arms, map, seeds, seedBase, engine, deadline } = args;
  return shellWords([
    'pmvx',
    'replay',
    day,
    '--arms',
    arms,
    ...(map === undefined ? [] : ['--map', map]),
    ...(engine === undefined ? [] : ['--engine', engine]),
    '--seeds',
    String(seeds),
    '--seed-base',
    String(seedBase),
    '--deadline',
    String(deadline),
    ...(args.out === undefined ? ['--resume'] : ['--out', args.out, '--resume']),
  ]);
}
