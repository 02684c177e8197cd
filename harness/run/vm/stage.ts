// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import type { ForkPoint } from '../../core/fork-point.ts';
import type { Policy, PolicyDefinition } from '../../core/policy.ts';
import { deriveSeed } from '../../core/seed.ts';
import type { Machine, Spec } from '../../core/spec.ts';
import type { TrialRecord } from '../../core/trial.ts';
import { type Workload, WorkloadSchema } from '../../core/workload.ts';
import type { Engine, Orders } from '../../lab/engine.ts';
import { type ReadyImage, requireImage } from '../../lab/image.ts';
import { cacheFolder } from '../../lab/image-files.ts';
import type { Accelerator } from '../../lab/qemu-arguments.ts';
import { defaultHostDeadlineMs, vmEngine } from '../../lab/vm-engine.ts';
import { runTrials } from '../controller.ts';
import type { RunEvent } from '../events.ts';
import { SPEC } from '../scene.ts';
import { SLOTS, withSlots } from './vm-slots.ts';

/** What the tests with real machines share: the image, a command line, one trial at a time. */
export const ROOT = resolve(import.meta.dirname, '../../..');
export const CLI = join(ROOT, 'harness/cli.ts');
const RECIPE = 'quick';

/** `pmvx` as a process that can be waited for and killed. */
export function pmvx(...args: string[]) {
  return execa(process.execPath, [CLI, ...args], { cwd: ROOT, reject: false, all: true, stdin: 'ignore' });
}

/** The image that all but a few tests here run on: built when it is not there, and proven. */
export async function stageImage(recipe = RECIPE): Promise<ReadyImage> {
  await withSlots(SLOTS, async () => {
    for (const step of ['build', 'selftest']) {
      const { exitCode, all } = await pmvx('image', step, recipe);
      if (exitCode !== 0) throw new Error(`pmvx image ${step} ${recipe} ended with ${exitCode}:\n${all}`);
    }
  });
  return requireImage(ROOT, cacheFolder(process.env), recipe);
}

const images = new Map<string, Promise<ReadyImage>>();

/** An engine on that image, or on that of another recipe, whose machines wait for a slot each. */
export function labEngine(
  name: Accelerator,
  open: (image: ReadyImage) => Engine = (image) =>
    vmEngine(name, image, { hostDeadlineMs: defaultHostDeadlineMs }),
  recipe = RECIPE,
): Engine {
  return {
    name,
    runTrial: async (...args) => {
      const image = images.get(recipe) ?? stageImage(recipe);
      images.set(recipe, image);
      const engine = open(await image);
      return withSlots(1, () => engine.runTrial(...args));
    },
  };
}

/** A machine that boots in the least host time. */
export function smallMachine(vcpus: number): Machine {
  return {
    engine: 'exact',
    vcpus,
    memoryMiB: 1024,
    speed: 1000 / vcpus,
    quantum: 5000,
    topology: { nodes: 1, sockets: 1, cores: vcpus, threads: 1 },
  };
}

const words = { summary: 's', suits: 's', weakness: 's', source: 's' };

/** A scheduler process as this test wants it. */
export function processPolicy(id: string, argv: string[], ops: string): Policy {
  const definition: PolicyDefinition = { kind: 'process', ...words, argv, ops };
  return { id, definition };
}

/** A shell script as a workload with the metric `Time: X`. */
export function scriptWorkload(
  id: string,
  script: string,
  more: { readonly deadline_s?: number } = {},
): Workload {
  const definition = WorkloadSchema.parse({
    summary: 's',
    class: 'mixed',
    source: 's',
    params: {},
    seed: 's',
    argv: ['/bin/sh', '-c', script],
    metrics: {
      time: { unit: 's', direction: 'lower', primary: true, pattern: '^Time: (\\S+)$', about: 's' },
    },
    deadline_s: 60,
    takes_s: { exact: 1, kvm: 1 },
    ...more,
  });
  return { id, definition };
}

export interface Trial {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly policy: Policy;
  readonly workload: Workload;
  readonly params?: Readonly<Record<string, string | number>>;
  /** Where the policy takes over; before the run when absent. */
  readonly point?: ForkPoint;
  /** The trial's folder is `0000` in this one, `0000-attempt2` for a second attempt. */
  readonly consoles: string;
}

export interface TrialEnd {
  readonly record: TrialRecord;
  readonly events: readonly RunEvent[];
}

/** One trial through the controller, as a run would have it. */
export async function runOne({
  engine,
  machine,
  policy,
  workload,
  params = {},
  point = 'quiescent',
  consoles,
}: Trial): Promise<TrialEnd> {
  const spec: Spec = { ...SPEC, machine, policies: [policy.id] };
  const events: RunEvent[] = [];
  const records: TrialRecord[] = [];
  await runTrials({
    run: 'stage',
    spec,
    trials: [
      {
        trial: '0000',
        block: 0,
        seed: deriveSeed(7, 0),
        workload: workload.id,
        variant: 'v',
        params,
        point,
        policy: policy.id,
        role: 'measure',
      },
    ],
    catalog: {
      policies: new Map([[policy.id, policy]]),
      workloads: new Map([[workload.id, workload]]),
    },
    engine,
    log: { records, append: (record) => void records.push(record) },
    consoles,
    jobs: 1,
    signal: new AbortController().signal,
    watch: (event) => events.push(event),
  });
  const [record] = records;
  if (record === undefined) throw new Error('the controller recorded nothing');
  return { record, events };
}

/** A record without what belongs to the host and its clock: all that must be equal in two runs of one trial. */
export function measuredOf({ host: _host, ...measured }: TrialRecord): Omit<TrialRecord, 'host'> {
  return measured;
}

/** What a program printed that a guest of the image `runtime` was told to run; throws with its last words when it failed. */
export async function runInGuest(
  orders: Orders,
  vcpus: number,
  folder: string,
  name: Accelerator = 'exact',
): Promise<string> {
  const engine = labEngine(name, undefined, 'runtime');
  const machine = { ...smallMachine(vcpus), engine: name };
  const ran = await engine.runTrial(orders, machine, folder, new AbortController().signal);
  const { frames } = ran;
  const text = (kind: string) =>
    frames.flatMap((each) => (each.kind === kind ? [each.payload.toString('utf8')] : [])).join('');
  const output = text('output');
  const { exit } = JSON.parse(text('result') || '{}') as { exit?: number };
  if (exit === 0) return output;
  const cause = ran.cause === undefined ? '' : ` (${ran.cause})`;
  throw new Error(
    `it ended with ${exit}${cause}:\n${output}\n${text('error')}\n${text('klog').slice(-4000)}`,
  );
}
