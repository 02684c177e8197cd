// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { workloadVector } from '../../analysis/features/workload-vector.ts';
import { askMap } from '../../analysis/policy-map/choose/ask.ts';
import { machineDifferences } from '../../analysis/policy-map/evidence.ts';
import { readMap } from '../../analysis/policy-map/open-map.ts';
import { unitVector } from '../../analysis/policy-map/vector.ts';
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import { planTrials } from '../plan/plan.ts';
import { machinesThatFit } from '../run/preflight.ts';
import { resultsPlace } from '../run/results-place.ts';
import { parseSpec } from '../spec/parse-spec.ts';
import { writeAtomic } from '../store/atomic-write.ts';
import { labBench, synthUse, type Use } from '../tune/bench.ts';
import { cosineOf, fitProfile } from '../tune/fit.ts';
import { formatProfile } from '../tune/profile.ts';
import type { QueuedWindow } from '../tune/queue.ts';
import { ALIKE, type Likeness, type TuneParts } from '../tune/tune-window.ts';
import type { CommandContext } from './context.ts';
import { learnCommand, MAP_KIND } from './learn.ts';
import { openStoredRun, vectorOfTrial } from './learnt-run.ts';
import { openLab } from './open-lab.ts';
import { runSpec } from './run.ts';
import { runsFolder } from './run-place.ts';
import type { TuneArgs } from './tune.ts';

/** The search goes on a little beyond what is enough: other seeds are not as near. */
const ENOUGH = ALIKE + 0.01;
const TRIES = 60;
const BLOCKS = 2;
/** Guest seconds of a try, and most vCPUs of a machine that is emulated. */
const LASTS_SECONDS = 0.4;
const MOST_VCPUS = 32;
const DEFAULT_MIPS = 250;

/** Tuning with real machines on the exact engine. */
export async function tuneLab(
  args: TuneArgs,
  context: CommandContext,
): Promise<TuneParts & { readonly incomplete: () => boolean }> {
  const catalog = await context.catalog();
  let incomplete = false;
  return {
    incomplete: () => incomplete,
    now: () => new Date(),
    fromTrace: (window, trace) =>
      inBench(
        window,
        args,
        context,
        async (bench, spec) => {
          const use = spec.workloads[0] as Spec['workloads'][number];
          const [measured] = await bench.measureUses([use]);
          if (measured?.kind !== 'counted')
            throw new PmvxError(ExitCode.incomplete, {
              where: trace,
              what: `the trace does not play: ${measured?.why}`,
            });
          const vector = workloadVector(measured.counted);
          return { ...use, cosine: vector.kind === 'vector' ? cosineOf(vector.values, window.vector) : 0 };
        },
        { use: 'replay', with: { trace } },
      ),
    synthesise: (window) =>
      inBench(
        window,
        args,
        context,
        async (bench, spec) => {
          const fit = await fitProfile(window.counted, {
            ...{
              bench,
              enough: ENOUGH,
              budget: args.tries ?? TRIES,
              mips: spec.machine.speed,
              lastsSeconds: LASTS_SECONDS,
            },
            say: context.write,
          });
          if (fit === undefined) return { tries: args.tries ?? TRIES };
          if (fit.cosine < ALIKE) return { cosine: fit.cosine, tries: fit.runs };
          const path = join(context.root, 'results', 'tuned', `${window.key}.profile`);
          await mkdir(join(path, '..'), { recursive: true });
          await writeAtomic(
            path,
            formatProfile(
              fit.profile,
              `cosine ${fit.cosine.toFixed(4)} to window ${window.key} of ${window.at}`,
            ),
          );
          return { likeness: likenessOf(synthUse(path), fit.cosine, window, args, catalog), tries: fit.runs };
        },
        { use: 'synth' },
      ),
    async evaluate(window, { workload, params }) {
      const blocks = args.blocks ?? BLOCKS;
      const policies = args.policies?.split(',').map((id) => id.trim()) ?? schedulersOf(args, catalog);
      const spec = specFor(
        window,
        args,
        { use: workload, with: params },
        { policies, blocks, name: `tune-${window.key}` },
        catalog,
      );
      const out = join(runsFolder(context.root), spec.name);
      const options = {
        spec: 'tune',
        out,
        ...(existsSync(out) ? { resume: true as const } : {}),
        ...(args.jobs === undefined ? {} : { jobs: args.jobs }),
      };
      const goOnWith = `pmvx tune --queue ${args.queue} --map ${args.map}`;
      const code = await runSpec(spec, { ...options, goOnWith }, context);
      if (code === ExitCode.interrupted) throw context.signal.reason;
      if (code !== ExitCode.ok) incomplete = true;
      await learnCommand({ runs: [out], map: args.map }, context);
      return { run: spec.name, cosines: await cosinesOf(out, window, context) };
    },
    async ask({ vector, machine }) {
      const map = await readMap(args.map);
      try {
        const { recommend, why } = await askMap(map, {
          ...{ vector: unitVector(vector, MAP_KIND.dimensions, 'the window'), features: MAP_KIND.features },
          ...{ machine, objective: 'primary' as const },
        });
        return { recommend, why };
      } finally {
        await map.close();
      }
    },
  };
}

/** Opens machines like the window's for short runs, in a folder that is removed afterwards. */
async function inBench<T>(
  window: QueuedWindow,
  args: TuneArgs,
  context: CommandContext,
  work: (bench: ReturnType<typeof labBench>, spec: Spec) => Promise<T>,
  use: object,
): Promise<T> {
  const catalog = await context.catalog();
  const spec = specFor(window, args, use, { policies: ['eevdf'], blocks: 1, name: 'tune' }, catalog);
  const [planned] = planTrials(spec).trials;
  if (planned === undefined) throw new Error('the spec has no trial');
  const lab = await openLab(spec, [planned], catalog, context);
  const kernel = lab.image.guestKernel;
  const own = {
    ...window.machine,
    engine: 'exact' as const,
    cpu: `${spec.machine.speed} MIPS`,
    ...(kernel === undefined ? {} : { kernel }),
  };
  const differences = machineDifferences(window.machine, own);
  if (differences.length > 0) {
    context.warn(
      `pmvx: evidence will be about another machine than the window's: ${differences.join(', ')}. The daemon finds it when its configuration says machine: as the map does`,
    );
  }
  const jobs =
    args.jobs ?? (await machinesThatFit(availableParallelism(), spec.machine.memoryMiB, resultsPlace));
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-tune-'));
  try {
    const bench = labBench({
      engine: lab.engine,
      spec,
      catalog,
      folder,
      jobs,
      seed: planned.seed,
      signal: context.signal,
    });
    return await work(bench, spec);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Asked {
  readonly policies: readonly string[];
  readonly blocks: number;
  readonly name: string;
}

/** A spec on a machine like the window's: as many nodes, sockets, cores and threads; as fast, where it was emulated as well. */
function specFor(
  { machine }: QueuedWindow,
  args: TuneArgs,
  use: object,
  { policies, blocks, name }: Asked,
  catalog: Catalog,
): Spec {
  const { nodes, sockets, cores, threads, cpu } = machine;
  const vcpus = nodes * sockets * cores * threads;
  if (vcpus > MOST_VCPUS) {
    throw new PmvxError(ExitCode.usage, {
      where: args.queue,
      what: `the window is of a machine with ${vcpus} CPUs; at most ${MOST_VCPUS} are emulated`,
      next: 'Measure such a machine itself: pmvx run with engine: kvm or native, then pmvx learn',
    });
  }
  const speed = Number(/^(\d+(?:\.\d+)?) MIPS$/.exec(cpu)?.[1] ?? DEFAULT_MIPS);
  const text = JSON.stringify({
    name,
    image: args.image ?? 'quick',
    policies,
    workloads: [use],
    machine: { engine: 'exact', vcpus, speed, topology: { nodes, sockets, cores, threads } },
    seeds: { base: 1, count: blocks },
    probes: ['cpu', 'mem', 'io', 'net'],
    controls: [],
  });
  return parseSpec(text, 'pmvx tune', catalog);
}

function likenessOf(
  use: Use,
  cosine: number,
  window: QueuedWindow,
  args: TuneArgs,
  catalog: Catalog,
): Likeness {
  const asked = { policies: ['eevdf'], blocks: 1, name: 'tune' };
  const spec = specFor(window, args, { use: use.workload, with: use.params }, asked, catalog);
  const { workload, params, variant } = spec.workloads[0] as Spec['workloads'][number];
  return { workload, params, variant, cosine };
}

/** EEVDF and every scheduler that the image has. */
function schedulersOf({ image = 'quick' }: TuneArgs, catalog: Catalog): string[] {
  const contents = catalog.images?.get(image);
  return [...catalog.policies.values()].flatMap(({ id, definition }) => {
    if (definition.kind === 'builtin' || definition.kind === 'struct_ops') return id;
    if (definition.kind !== 'process') return [];
    return definition.crate === undefined || contents?.crates.includes(definition.crate) ? id : [];
  });
}

/** How much the run's trials under EEVDF look like the window, each with a seed of its own. */
async function cosinesOf(folder: string, window: QueuedWindow, context: CommandContext): Promise<number[]> {
  const run = await openStoredRun(folder, context);
  return run.records.flatMap((record) => {
    if (record.state !== 'completed' || record.policy !== 'eevdf' || record.role !== 'measure') return [];
    const vector = vectorOfTrial(record, run.spec.machine.vcpus);
    return vector?.kind === 'vector' ? cosineOf(vector.values, window.vector) : [];
  });
}
