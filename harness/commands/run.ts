// SPDX-License-Identifier: Apache-2.0
import { dirname, join, relative } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import type { ExitCode } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import type { EngineName, TrialState } from '../core/trial.ts';
import type { Engine } from '../lab/engine.ts';
import { type Plan, planTrials } from '../plan/plan.ts';
import { formatShard, type Shard, shardOf } from '../plan/shard.ts';
import { type RunEnd, runTrials } from '../run/controller.ts';
import { machinesThatFit, preflight, requireMemory } from '../run/preflight.ts';
import { resultsPlace } from '../run/results-place.ts';
import { readSpec } from '../spec/read-spec.ts';
import { addNodes, fingerprintOf, ownNode } from '../store/nodes.ts';
import { RUN_FILES } from '../store/run-folder.ts';
import type { TrialLog } from '../store/trial-log.ts';
import type { Command, CommandContext } from './context.ts';
import { jobsOn } from './fidelity-engines.ts';
import { openLab } from './open-lab.ts';
import { definitionsDigest, openOrCreate } from './run-basis.ts';
import { endRun } from './run-end.ts';
import { chooseRunPlace, type PlaceOptions, type RunPlace } from './run-place.ts';
import { watchRun } from './run-watcher.ts';
import { shellWords } from './shell-words.ts';
import type { SlurmOptions } from './slurm-options.ts';
import { stopRule } from './stop-rule.ts';

export interface RunOptions extends PlaceOptions {
  /** Path of the spec. */
  readonly spec: string;
  readonly jobs?: number;
  readonly engine?: EngineName;
  /** Elsewhere than on this host. */
  readonly on?: 'slurm';
  /** Only the blocks of one of several hosts. */
  readonly shard?: Shard;
  /** False: no table and no figure at the end. */
  readonly report?: boolean;
  /** Ends of trials that make the run fail, beside those that always do. */
  readonly failOn?: readonly TrialState[];
  /** The command that goes on with a run that was stopped; `pmvx run --resume` unless another one led here. */
  readonly goOnWith?: string;
}

/** Reads a spec and runs it, or goes on with a run of it. */
export const runCommand: Command<RunOptions & SlurmOptions> = async (options, context) => {
  const spec = await readSpec(options.spec, await context.catalog(), options.engine);
  if (options.on !== 'slurm') return runSpec(spec, options, context);
  const { runSpecOnSlurm } = await import('./run-on-slurm.ts');
  return runSpecOnSlurm(spec, options, context);
};

/** A spec with its plan, and what it is run with beyond that. */
export interface PlannedSpec {
  readonly spec: Spec;
  readonly plan: Plan;
  readonly catalog: Catalog;
  /** The engine that its trials get, made of the one that the spec asks for. */
  readonly dress?: (engine: Engine, log: TrialLog) => Engine;
  /** Told where the run is, once its trials have ended. */
  readonly ended?: (folder: string, end: RunEnd) => Promise<void>;
}

/** A spec as `planTrials` plans it. */
export async function runSpec(spec: Spec, options: RunOptions, context: CommandContext): Promise<ExitCode> {
  return runPlan({ spec, plan: planTrials(spec), catalog: await context.catalog() }, options, context);
}

/** plan -> place and preflight -> lab -> run folder -> trials, each recorded as it ends -> CSV -> table. */
export async function runPlan(
  planned: PlannedSpec,
  options: RunOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const { spec, plan: whole, catalog } = planned;
  const { shard } = options;
  const plan = shard === undefined ? whole : shardOf(whole, shard);
  const jobs = options.jobs ?? (await defaultJobs(spec.machine));
  const name = shard === undefined ? spec.name : `${spec.name}-${shard.index}of${shard.of}`;
  const place = await chooseRunPlace(options, { spec: spec.name, run: name }, context.root, new Date());
  await preflight(dirname(place.folder), { trials: plan.trials.length, jobs }, resultsPlace);
  if (!['mock', 'native'].includes(spec.machine.engine))
    await requireMemory(jobs, spec.machine.memoryMiB, resultsPlace);
  const lab = await openLab(spec, plan.trials, catalog, context);
  const definitions = definitionsDigest(spec, catalog);
  const run = await openOrCreate(place, { spec, plan, definitions, image: lab.image }, context.root);
  try {
    for (const notice of run.notices) context.warn(`pmvx: ${notice}`);
    const node = await ownNode();
    const fingerprint = fingerprintOf(node);
    await addNodes(run.folder, { [fingerprint]: node });
    const shown = relative(process.cwd(), run.folder) || '.';
    const engine = spec.machine.engine === 'mock' ? 'mock: not a measurement' : spec.machine.engine;
    const part = shard === undefined ? '' : ` (shard ${formatShard(shard)})`;
    context.write(
      `${spec.name}: ${plan.trials.length} trials${part}, ${jobs} at once, engine ${engine}, into ${shown}`,
    );
    const began = performance.now();
    let enough = spec.seeds.count;
    const watcher = watchRun(plan.trials, jobs, context);
    // A shard does not see all blocks of a look; `pmvx merge` does, and decides as one run would have.
    const looks = spec.stop.rule !== 'fixed' && shard === undefined;
    const end = await runTrials({
      run: place.id,
      spec,
      trials: plan.trials,
      catalog,
      engine: planned.dress?.(lab.engine, run.log) ?? lab.engine,
      log: run.log,
      consoles: join(run.folder, RUN_FILES.consoles),
      fingerprint,
      jobs,
      signal: context.signal,
      watch: watcher.watch,
      ...(looks ? { stop: await stopRule(spec, (blocks) => (enough = blocks)) } : {}),
    }).finally(watcher.end);
    const goOnWith = options.goOnWith ?? resumeCommand(options, place);
    const report = options.report !== false;
    const { failOn } = options;
    const code = await endRun({ run, end, enough, plan, began, goOnWith, report, failOn }, context);
    await planned.ended?.(run.folder, end);
    return code;
  } finally {
    await run.close();
  }
}

/** Fills the host's cores and memory and no more. In real time each vCPU has a core to itself, on native a trial the whole host. */
async function defaultJobs({ engine, vcpus, memoryMiB }: Spec['machine']): Promise<number> {
  const cores = jobsOn(engine, vcpus);
  if (engine === 'mock' || engine === 'native') return cores;
  return machinesThatFit(cores, memoryMiB, resultsPlace);
}

/** The command that goes on with a run; a shell reads it as it is. */
function resumeCommand(options: RunOptions, place: RunPlace): string {
  const engine = options.engine === undefined ? [] : ['--engine', options.engine];
  const shard = options.shard === undefined ? [] : ['--shard', formatShard(options.shard)];
  const where = options.out === undefined ? place.id : place.folder;
  return shellWords(['pmvx', 'run', options.spec, ...engine, ...shard, '--resume', where]);
}
