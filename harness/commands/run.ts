// SPDX-License-Identifier: Apache-2.0
import { dirname, join, relative } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import type { ExitCode } from '../core/errors.ts';
import { canonicalJson, shortDigest } from '../core/ids.ts';
import { looksOf } from '../core/looks.ts';
import type { Spec } from '../core/spec.ts';
import type { EngineName } from '../core/trial.ts';
import { type Plan, planTrials } from '../plan/plan.ts';
import { type EarlyStop, runTrials } from '../run/controller.ts';
import { countsOf, exitCodeOf, troubleLine } from '../run/exit-code.ts';
import { machinesThatFit, preflight, requireMemory } from '../run/preflight.ts';
import { resultsPlace } from '../run/results-place.ts';
import { requireSameRun } from '../run/same-run.ts';
import { formatDuration } from '../run/time-left.ts';
import { readSpec } from '../spec/read-spec.ts';
import { stableJson, writeAtomic } from '../store/atomic-write.ts';
import { collectProvenance } from '../store/provenance.ts';
import { createRun, type OpenRun, openRun, RUN_FILES } from '../store/run-folder.ts';
import { writeTrialsCsv } from '../store/trials-csv.ts';
import type { Command, CommandContext } from './context.ts';
import { jobsOn } from './fidelity-engines.ts';
import { type Lab, openLab } from './open-lab.ts';
import { chooseRunPlace, type PlaceOptions, type RunPlace } from './run-place.ts';
import { watchRun } from './run-watcher.ts';

export interface RunOptions extends PlaceOptions {
  /** Path of the spec. */
  readonly spec: string;
  readonly jobs?: number;
  readonly engine?: EngineName;
  /** False: no table and no figure at the end. */
  readonly report?: boolean;
  /** The command that goes on with a run that was stopped; `pmvx run --resume` unless another one led here. */
  readonly goOnWith?: string;
}

/** Reads a spec and runs it, or goes on with a run of it. */
export const runCommand: Command<RunOptions> = async (options, context) => {
  const spec = await readSpec(options.spec, await context.catalog(), options.engine);
  return runSpec(spec, options, context);
};

/** spec -> plan -> place and preflight -> lab -> run folder -> trials, each recorded as it ends -> CSV -> table. */
export async function runSpec(spec: Spec, options: RunOptions, context: CommandContext): Promise<ExitCode> {
  const catalog = await context.catalog();
  const plan = planTrials(spec);
  const jobs = options.jobs ?? (await defaultJobs(spec.machine));
  const place = await chooseRunPlace(options, spec.name, context.root, new Date());
  await preflight(dirname(place.folder), { trials: plan.trials.length, jobs }, resultsPlace);
  if (!['mock', 'native'].includes(spec.machine.engine))
    await requireMemory(jobs, spec.machine.memoryMiB, resultsPlace);
  const lab = await openLab(spec, plan.trials, catalog, context);
  const run = await openOrCreate(
    place,
    { spec, plan, definitions: definitionsDigest(spec, catalog) },
    lab,
    context,
  );
  try {
    for (const notice of run.notices) context.warn(`pmvx: ${notice}`);
    const shown = relative(process.cwd(), run.folder) || '.';
    const engine = spec.machine.engine === 'mock' ? 'mock: not a measurement' : spec.machine.engine;
    context.write(
      `${spec.name}: ${plan.trials.length} trials, ${jobs} at once, engine ${engine}, into ${shown}`,
    );
    const began = performance.now();
    let enough = spec.seeds.count;
    const watcher = watchRun(plan.trials, jobs, context);
    const end = await runTrials({
      run: place.id,
      spec,
      trials: plan.trials,
      catalog,
      engine: lab.engine,
      log: run.log,
      consoles: join(run.folder, RUN_FILES.consoles),
      jobs,
      signal: context.signal,
      watch: watcher.watch,
      ...(spec.stop.rule === 'fixed' ? {} : { stop: await stopRule(spec, (blocks) => (enough = blocks)) }),
    }).finally(watcher.end);
    const { records } = run.log;
    if (end === 'enough') {
      await writeAtomic(join(run.folder, RUN_FILES.stop), stableJson({ blocks: enough }));
      context.write(`stopped after ${enough} of ${spec.seeds.count} blocks: every interval is narrow enough`);
    }
    const planned = plan.trials.filter(({ block }) => block < enough);
    await writeTrialsCsv(join(run.folder, RUN_FILES.csv), records);
    const took = formatDuration((performance.now() - began) / 1000);
    const counts = records.length === 0 ? '' : `: ${countsOf(records)}`;
    context.write(`${records.length} of ${planned.length} trials recorded after ${took}${counts}`);
    let files: readonly string[] = [RUN_FILES.csv, RUN_FILES.log];
    if (end === 'interrupted') {
      context.warn(`pmvx: stopped; go on with: ${options.goOnWith ?? resumeCommand(options, place)}`);
    } else if (options.report !== false) {
      // Tables and figures take a while to load, and a run that is stopped needs none.
      const { reportRun } = await import('./run-table.ts');
      const input = { run: place.id, spec, planned, records };
      files = [...files, ...(await reportRun(input, run.folder, context))];
    }
    const trouble = troubleLine(end, records);
    if (trouble !== undefined) context.warn(`pmvx: ${trouble}`);
    context.write(`results in ${shown}: ${files.join(', ')}`);
    return exitCodeOf(end, records) as ExitCode;
  } finally {
    await run.close();
  }
}

/** The spec's rule for stopping before the last block; `atEnough` hears after how many blocks it held. */
async function stopRule(spec: Spec, atEnough: (blocks: number) => void): Promise<EarlyStop> {
  const { narrowEnough } = await import('../../analysis/stopping/narrow-enough.ts');
  return {
    looks: looksOf(spec),
    enough: (records, blocks) => {
      const is = narrowEnough(spec, records);
      if (is) atEnough(blocks);
      return is;
    },
  };
}

/** Fills the host's cores and memory and no more. In real time each vCPU has a core to itself, on native a trial the whole host. */
async function defaultJobs({ engine, vcpus, memoryMiB }: Spec['machine']): Promise<number> {
  const cores = jobsOn(engine, vcpus);
  if (engine === 'mock' || engine === 'native') return cores;
  return machinesThatFit(cores, memoryMiB, resultsPlace);
}

/** Names what the policies and workloads of a spec are defined as, so that a run is not resumed with others. */
function definitionsDigest(spec: Spec, catalog: Catalog): string {
  return shortDigest(
    canonicalJson({
      policies: spec.policies.map((id) => catalog.policies.get(id)),
      workloads: spec.workloads.map(({ workload }) => catalog.workloads.get(workload)),
    }),
  );
}

async function openOrCreate(
  place: RunPlace,
  basis: { readonly spec: Spec; readonly plan: Plan; readonly definitions: string },
  lab: Lab,
  context: CommandContext,
): Promise<OpenRun> {
  const { spec, plan, definitions } = basis;
  if (place.exists) {
    const run = await openRun(place.folder, { spec, plan });
    try {
      const { image, definitions: before } = run.provenance;
      const was = { spec: run.spec, plan: run.plan, image: image.digests, definitions: before };
      requireSameRun(place.folder, was, { ...basis, image: lab.image.digests });
      return run;
    } catch (error) {
      await run.close();
      throw error;
    }
  }
  const blocks = plan.trials
    .filter(({ role }) => role === 'measure')
    .map(({ block, seed }) => [block, seed] as const);
  const provenance = await collectProvenance({
    run: place.id,
    root: context.root,
    engine: spec.machine.engine,
    image: lab.image,
    definitions,
    seeds: { ...spec.seeds, blocks: [...new Map(blocks).values()] },
    createdAt: new Date(),
  });
  return createRun(place.folder, { spec, plan, provenance });
}

/** The command that goes on with a run; a shell reads it as it is. */
function resumeCommand(options: RunOptions, place: RunPlace): string {
  const engine = options.engine === undefined ? [] : ['--engine', options.engine];
  const where = options.out === undefined ? place.id : place.folder;
  return shellWords(['pmvx', 'run', options.spec, ...engine, '--resume', where]);
}

/** Words as a shell reads them back. */
export function shellWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w./:=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
