// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { EngineName } from '../core/trial.ts';
import { type Arm, hasDaemon, parseArms } from '../replay/arms.ts';
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
  if (day.machine.engine === 'native') requireHost(arms, catalog, args.jobs);
  const map = await readMapFile(args.map, arms, day.machine.engine);
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

/** On the real host policies are attached to its own kernel, one day at a time. */
function requireHost(
  arms: readonly Arm[],
  { policies }: Pick<Catalog, 'policies'>,
  jobs = 1,
  folder = '/sys/kernel/sched_ext',
): void {
  const where = 'engine native';
  if (jobs > 1) {
    const what = `${jobs} days cannot be lived at once on one host`;
    throw new PmvxError(ExitCode.usage, { where, what, next: 'Leave --jobs out' });
  }
  const knobs = arms.filter(({ id }) => policies.get(id)?.definition.kind === 'knob').map(({ id }) => id);
  if (knobs.length > 0) {
    // A scheduler leaves with its process; a setting would stay.
    const what = `${knobs.join(', ')}: settings of this host, which a day that is killed could not put back`;
    throw new PmvxError(ExitCode.usage, { where, what, next: 'Leave them out, or use exact, tcg or kvm' });
  }
  if (arms.every(({ kind }) => kind === 'eevdf') || existsSync(folder)) return;
  throw new PmvxError(ExitCode.environment, {
    where,
    what: "this host's kernel has no sched_ext, so only the arm eevdf can live on it",
    next: 'Leave the other arms out, or use exact, tcg or kvm',
  });
}

async function readMapFile(
  path: string | undefined,
  arms: readonly Arm[],
  engine: EngineName,
): Promise<Buffer | undefined> {
  const asking = arms.filter((arm) => hasDaemon(arm, engine));
  if (path === undefined) {
    if (asking.length === 0) return undefined;
    throw new PmvxError(ExitCode.usage, {
      where: '--map',
      what: `the daemon lives in the arms ${asking.map(({ id }) => id).join(', ')}, and has no policy map`,
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
