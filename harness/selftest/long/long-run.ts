// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { firstLine } from '../faults/disturbed-run.ts';
import { leftIn } from '../faults/leftovers.ts';
import { type Controller, runScene } from '../faults/scene.ts';
import { becomes, processesOf, signal as send } from '../processes.ts';

/** What a controller needed at one moment. */
export interface Sample {
  readonly seconds: number;
  /** Trials that were recorded. */
  readonly recorded: number;
  /** Resident memory of the controller, MiB. */
  readonly mib: number;
  /** Open file descriptors. */
  readonly descriptors: number;
  /** Processes that have to do with the run, the controller among them. */
  readonly processes: number;
}

/** How a run of many trials went. */
export interface LongRun {
  readonly engine: 'mock' | 'exact';
  readonly trials: number;
  readonly completed: number;
  readonly seconds: number;
  readonly samples: readonly Sample[];
  readonly orphans: number;
  readonly left: readonly string[];
  readonly fault?: string;
}

export interface LongPlan {
  readonly engine: 'mock' | 'exact';
  /** Rounded up to whole blocks. */
  readonly trials: number;
  readonly jobs: number;
  /** Where it works; removed afterwards. */
  readonly folder: string;
  /** Folder of the image, for `exact`. */
  readonly image?: string;
  readonly signal: AbortSignal;
}

const SPECS = {
  mock: {
    block: 4,
    text: 'workloads: [{ use: hackbench }, { use: perf-sched-pipe }]\nmachine: { engine: mock }',
  },
  // Small machines, forked from one snapshot.
  exact: {
    block: 2,
    text: `workloads: [{ use: spinners, with: { tasks: 3, units: 60 } }]
machine: { engine: exact, vcpus: 2, memory: 512MiB }`,
  },
} as const;

/** Parts of a run whose samples are compared: the second quarter, by when all caches are warm, and the last. */
const QUARTERS = [1, 3] as const;
const SAMPLES = 200;
const EVERY_MS = 500;

/** Lives through one run of many trials, and looks at its controller all the while. */
export async function longRun({ engine, trials, jobs, folder, image, signal }: LongPlan): Promise<LongRun> {
  const { block, text } = SPECS[engine];
  const blocks = Math.ceil(trials / block);
  const [spec, cache] = [join(folder, 'long.yaml'), join(folder, 'cache')];
  await mkdir(cache, { recursive: true });
  if (image !== undefined) await symlink(dirname(image), join(cache, 'images'));
  await writeFile(
    spec,
    `name: long\nimage: quick\npolicies: [eevdf, scx_simple]\n${text}\nseeds: { base: 7, count: ${blocks} }\ncontrols: []\n`,
  );
  const total = blocks * block;
  const scene = await runScene({ folder, engine, spec, total, cache, jobs });
  const controller = scene.start();
  const stop = () => send(controller.pid, 'SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const began = performance.now();
    const samples = await watched(controller, folder, () => scene.recorded(), began);
    const { code, signal: killed } = await controller.ended;
    signal.throwIfAborted();
    await becomes(() => processesOf(folder).length === 0, 5000, 20);
    const orphans = processesOf(folder);
    for (const { pid } of orphans) send(pid, 'SIGKILL');
    return {
      engine,
      trials: total,
      completed: [...controller.out().matchAll(/^\[ *\d+\/\d+\] .* completed /gm)].length,
      seconds: (performance.now() - began) / 1000,
      samples,
      orphans: orphans.length,
      left: leftIn(scene),
      ...(code === 0 ? {} : { fault: `it ended with ${code ?? killed}: ${firstLine(controller.err())}` }),
    };
  } finally {
    signal.removeEventListener('abort', stop);
    await rm(folder, { recursive: true, force: true });
  }
}

async function watched(
  controller: Controller,
  folder: string,
  recorded: () => number,
  began: number,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  let alive = true;
  void controller.ended.then(() => {
    alive = false;
  });
  while (alive) {
    const seen = sampleOf(controller.pid);
    if (seen !== undefined) {
      const [seconds, processes] = [(performance.now() - began) / 1000, processesOf(folder).length];
      samples.push({ seconds, recorded: recorded(), ...seen, processes });
    }
    await Promise.race([delay(EVERY_MS), controller.ended]);
  }
  return samples;
}

function sampleOf(pid: number): Pick<Sample, 'mib' | 'descriptors'> | undefined {
  try {
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    return resident === undefined ? undefined : { mib: Number(resident) / 1024, descriptors };
  } catch {
    // It has just ended.
    return undefined;
  }
}

/** The samples of a quarter of the trials, from 0. */
function quarter({ samples, trials }: LongRun, which: number): readonly Sample[] {
  return samples.filter(({ recorded }) => Math.min(3, Math.floor((4 * recorded) / trials)) === which);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Medians of the second and of the last quarter of the trials; NaN where nothing was seen. */
export function quartersOf(run: LongRun, of: 'mib' | 'descriptors' | 'processes'): readonly [number, number] {
  const [early, late] = QUARTERS.map((which) => median(quarter(run, which).map((each) => each[of])));
  return [early as number, late as number];
}

/** A collector of garbage is idle until it has to be: so much does memory differ between two moments of a run that needs no more. */
const MORE_MIB = 16;

/** What is wrong with a long run, in words. */
export function faultsOf(run: LongRun): string[] {
  const { trials, completed, orphans, left, fault } = run;
  const [early, late] = quartersOf(run, 'mib');
  const [few, many] = quartersOf(run, 'descriptors');
  const faults: (string | false | undefined)[] = [
    fault,
    completed !== trials && `${completed} of ${trials} trials completed`,
    !(late <= early * 1.1 + MORE_MIB) && `memory grew from ${early.toFixed(0)} to ${late.toFixed(0)} MiB`,
    !(many <= few + 2) && `descriptors grew from ${few} to ${many}`,
    orphans > 0 && `${orphans} processes were left`,
    left.length > 0 && `left: ${left.slice(0, 5).join(', ')}`,
  ];
  return faults.filter((each) => typeof each === 'string');
}

/** Every so many, so that a table of them stays small. */
export function thinned(samples: readonly Sample[]): Sample[] {
  const step = Math.max(1, Math.ceil(samples.length / SAMPLES));
  return samples.filter((_, at) => at % step === 0 || at === samples.length - 1);
}
