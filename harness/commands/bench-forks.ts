// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { openEngine } from '../lab/open-engine.ts';
import { planTrials } from '../plan/plan.ts';
import { runTrials } from '../run/controller.ts';
import { readSpec } from '../spec/read-spec.ts';
import { type ForkBench, formatForkBench, type Phase, sameResults } from './bench-forks-report.ts';
import type { Command, CommandContext } from './context.ts';

export interface BenchForksArgs {
  readonly spec?: string;
  readonly jobs?: number;
  /** Blocks of which each trial is also booted with its own policy as the only candidate. */
  readonly ownBlocks: number;
  readonly json: boolean;
}

/** `pmvx bench forks`: the whole plan of a spec with forks, then with boots, and how long each took. Keeps no run. */
export const benchForksCommand: Command<BenchForksArgs> = async (args, context) => {
  const path = args.spec ?? join(context.root, 'harness/experiments/fork-speed.yaml');
  const spec = await readSpec(path, await context.catalog(), 'exact');
  const { trials } = planTrials(spec);
  const jobs = args.jobs ?? availableParallelism();
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-bench-'));
  try {
    const stage = await openStage(spec, scratch, context);
    const forks = await stage('forks', 'fork', [trials], jobs);
    const boots = await stage('boots', 'boot', [trials], jobs);
    const some = trials.filter(({ block, role }) => block < args.ownBlocks && role === 'measure');
    const single = some.map((planned) => [planned]);
    const own = single.length === 0 ? undefined : await stage('own boots', 'boot', single, jobs);
    const bench: ForkBench = {
      v: 1,
      spec: spec.name,
      jobs,
      processor: cpus()[0]?.model ?? 'unknown processor',
      trials: trials.length,
      policies: spec.policies.length,
      forks: forks.phase,
      boots: boots.phase,
      ...(own === undefined ? {} : { own: own.phase }),
      same: sameResults(forks.records, boots.records),
    };
    if (args.json) context.write(JSON.stringify(bench, null, 2));
    else for (const line of formatForkBench(bench)) context.write(line);
    return bench.same === trials.length ? ExitCode.ok : ExitCode.incomplete;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

type Stage = (
  name: string,
  how: 'fork' | 'boot',
  /** Trials that share a machine's candidates: all policies of the group. */
  groups: readonly (readonly PlannedTrial[])[],
  jobs: number,
) => Promise<{ readonly phase: Phase; readonly records: readonly TrialRecord[] }>;

async function openStage(spec: Spec, scratch: string, context: CommandContext): Promise<Stage> {
  const catalog = await context.catalog();
  const image = await requireImage(context.root, cacheFolder(context.env), spec.image);
  return async (name, how, groups, jobs) => {
    // A store of its own: the snapshot is made in the measured time.
    const engine = await openEngine({ ...spec, counterfactual: how }, image, {
      cache: scratch,
      env: context.env,
      warn: (line) => context.warn(`pmvx: ${line}`),
      signal: context.signal,
    });
    const total = groups.flat().length;
    const records: TrialRecord[] = [];
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    const next = groups.values();
    const work = async () => {
      for (const trials of next) {
        const kept: TrialRecord[] = [];
        const append = (record: TrialRecord) => {
          kept.push(record);
          records.push(record);
          const every = Math.max(1, Math.round(total / 10));
          if (records.length % every === 0)
            context.warn(`${name}: ${records.length}/${total} after ${seconds().toFixed(0)} s`);
        };
        const policies = spec.policies.filter(
          (id) => groups.length === 1 || trials.some(({ policy }) => policy === id),
        );
        const end = await runTrials({
          run: spec.name,
          spec: { ...spec, policies },
          trials,
          catalog,
          engine,
          log: { records: kept, append },
          consoles: join(scratch, name.replace(' ', '-')),
          jobs: groups.length === 1 ? jobs : 1,
          signal: context.signal,
          watch: () => undefined,
        });
        if (end === 'interrupted')
          throw new PmvxError(ExitCode.interrupted, { what: 'stopped: nothing was measured' });
      }
    };
    await Promise.all(Array.from({ length: groups.length === 1 ? 1 : jobs }, work));
    const completed = records.filter(({ state }) => state === 'completed').length;
    return { phase: { seconds: seconds(), trials: total, completed }, records };
  };
}
