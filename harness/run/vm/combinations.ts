// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../../core/catalog.ts';
import type { ForkPoint } from '../../core/fork-point.ts';
import { packageName } from '../../core/image-contents.ts';
import { defaultParameters } from '../../core/parameters.ts';
import { deriveSeed, type Seed, shuffled } from '../../core/seed.ts';
import type { Machine } from '../../core/spec.ts';
import type { PlannedTrial, TrialState } from '../../core/trial.ts';
import type { ParameterValues, Workload } from '../../core/workload.ts';
import { forkEngine } from '../../lab/fork/fork-engine.ts';
import type { ReadyImage } from '../../lab/image.ts';
import type { SnapshotStore } from '../../lab/snapshots/store.ts';
import { defaultHostDeadlineMs, vmEngine } from '../../lab/vm-engine.ts';
import { judge } from '../judge.ts';
import { ordersFor } from '../orders.ts';

/** One policy that takes over at one point of one workload. */
export interface Combination {
  readonly policy: string;
  readonly workload: string;
  readonly point: ForkPoint;
}

/** What all combinations share; every policy of the catalogue is a candidate in every machine. */
export interface Proof {
  readonly catalog: Pick<Catalog, 'policies' | 'workloads'>;
  readonly image: ReadyImage;
  readonly store: SnapshotStore;
  readonly machine: Machine;
  readonly seed: number;
  /** For the machines' own files; what is in it is removed as each ends. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** What must be equal in machines that went the same way. */
export interface Life {
  /** SHA-256 of every byte that the guest sent, from power-on. */
  readonly transcript: string;
  /** Over every block executed after the last fork mark, and its vCPU. */
  readonly hash: string;
  readonly state: TrialState;
  readonly reason?: string;
  /** What the workload printed. */
  readonly output?: string;
}

/** Every policy with every workload at every one of `points`, in the order of their names. */
export function combinationsOf(catalog: Proof['catalog'], points: readonly ForkPoint[]): Combination[] {
  const policies = [...catalog.policies.keys()].toSorted();
  const workloads = [...catalog.workloads.keys()].toSorted();
  return points.flatMap((point) =>
    workloads.flatMap((workload) => policies.map((policy) => ({ policy, workload, point }))),
  );
}

/**
 * So many of `all` that each policy, each workload and each point is among them, drawn with `seed`: over many draws every combination
 * has its turn.
 */
export function covering(all: readonly Combination[], seed: number): Combination[] {
  const missing = new Set(all.flatMap(partsOf));
  const order = shuffled(all, seed as Seed);
  const drawn: Combination[] = [];
  // First those that bring most.
  for (const wanted of [3, 2, 1]) {
    for (const each of order) {
      const fresh = partsOf(each).filter((part) => missing.has(part));
      if (fresh.length < wanted) continue;
      drawn.push(each);
      for (const part of fresh) missing.delete(part);
    }
  }
  return drawn;
}

function partsOf({ policy, workload, point }: Combination): string[] {
  return [`policy ${policy}`, `workload ${workload}`, `point ${point}`];
}

export function nameOf({ policy, workload, point }: Combination): string {
  return `${policy} in ${workload} at ${point}`;
}

/** Of a catalogue what an image holds: workloads whose packages it has, policies whose crates it was built with. */
export function heldBy(catalog: Catalog, image: string): Proof['catalog'] {
  const contents = catalog.images?.get(image);
  if (contents === undefined) throw new Error(`nobody knows what image ${image} holds`);
  const packages = new Set(contents.packages.map(packageName));
  const workloads = [...catalog.workloads].filter(([, { definition }]) =>
    definition.packages.every((name) => packages.has(packageName(name))),
  );
  const policies = [...catalog.policies].filter(
    ([, { definition }]) =>
      definition.kind !== 'process' ||
      definition.crate === undefined ||
      contents.crates.includes(definition.crate),
  );
  return { workloads: new Map(workloads), policies: new Map(policies) };
}

let machines = 0;

/** Lets a combination live once: from power-on, or from the snapshot at its fork point. */
export async function live(how: 'boot' | 'fork', combination: Combination, proof: Proof): Promise<Life> {
  const { catalog, image, store, machine, signal } = proof;
  const workload = known(catalog.workloads, combination.workload);
  const policy = known(catalog.policies, combination.policy);
  const planned = plannedTrial(combination, workload, proof.seed);
  const orders = ordersFor(planned, workload, policy, [...catalog.policies.values()]);
  let said = '';
  const options = { hostDeadlineMs: defaultHostDeadlineMs, onHash: (hash: string) => (said = hash) };
  const engine =
    how === 'boot'
      ? vmEngine('exact', image, options)
      : forkEngine(
          { accelerator: 'exact', image, store, hostDeadlineMs: defaultHostDeadlineMs },
          { onHash: options.onHash },
        );
  const folder = join(proof.scratch, `${how}-${process.pid}-${machines++}`);
  try {
    const startedAt = new Date().toISOString();
    const outcome = await engine.runTrial(orders, machine, folder, signal);
    const context = { run: 'proof', engine: 'exact', startedAt, attempt: 1 } as const;
    const record = judge(planned, workload.definition, policy.definition, outcome, context);
    return {
      transcript: outcome.transcript,
      hash: lastHash(said, `${how} of ${nameOf(combination)}: ${outcome.ended}, ${outcome.cause ?? ''}`),
      state: record.state,
      ...(record.state === 'completed' ? {} : { reason: record.reason }),
      ...(record.output === undefined ? {} : { output: record.output }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of the stretch since the last fork mark: a fork and a boot have only that in common. */
function lastHash(said: string, who: string): string {
  const parts = said === '' ? [] : (JSON.parse(said) as { parts: { hash: string }[] }).parts;
  const last = parts.at(-1);
  if (last === undefined) throw new Error(`no block hash of the ${who}`);
  return last.hash;
}

function plannedTrial(
  { policy, workload: id, point }: Combination,
  workload: Workload,
  seed: number,
): PlannedTrial {
  const params = point === 'quiescent' ? small(workload) : defaultParameters(workload.definition);
  const rest = { block: 0, seed: deriveSeed(seed, 0), variant: 'v', role: 'measure' } as const;
  return { trial: '0000', workload: id, policy, point, params, ...rest };
}

/** What makes a workload smaller still: forty processes of perf cost the host ten times what forty threads do. */
const FEWER: Readonly<Record<string, ParameterValues>> = {
  hackbench: { groups: 1 },
  'perf-sched-messaging': { groups: 1, tasks: 'thread' },
};

/** As large as the workload's warm-up, which by its nature is short. A policy that takes over in the run needs one that lasts. */
function small({ id, definition }: Workload): ParameterValues {
  return { ...defaultParameters(definition), ...definition.warmup, ...FEWER[id] };
}

function known<T>(map: ReadonlyMap<string, T>, id: string): T {
  const value = map.get(id);
  if (value === undefined) throw new Error(`"${id}" is not in the catalogue`);
  return value;
}
