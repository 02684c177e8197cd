// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Seed } from '../core/seed.ts';
import type { GuestOutcome, Orders } from '../lab/engine.ts';
import { type MockBehaviour, mockEngine } from '../lab/mock.ts';
import { CATALOG, SPEC } from '../run/scene.ts';
import type { ForkingLab } from './forking-lab.ts';
import type { Question } from './question.ts';

/** Questions for tests, and a lab without machines. */
export const QUESTION: Question = {
  image: SPEC.image,
  machine: SPEC.machine,
  workload: { workload: 'hackbench', variant: 'loops=60', params: { loops: 60 } },
  point: 'quiescent',
  policies: ['eevdf', 'scx_simple'],
  baseline: 'eevdf',
  states: [{ block: 0, seed: 11 as Seed }],
};

export interface SceneOptions {
  /** What a guest does; by default it runs for a time that depends on policy and seed. */
  readonly behaviour?: (orders: Orders) => MockBehaviour;
  /** Lines of a fork's trace; called once a fork, in order. */
  readonly trace?: (orders: Orders, index: number) => readonly string[] | undefined;
  readonly jobs?: number;
}

export const SECONDS: Readonly<Record<string, number>> = { eevdf: 0.2, scx_simple: 0.1 };

function runs({ policy, seed }: Orders): MockBehaviour {
  return { kind: 'run', output: `Time: ${(SECONDS[policy.id] ?? 1) * (1 + seed / 1000)}\n` };
}

/** Forks that a mock guest answers; the first of each seed makes the snapshot. */
export function sceneFork({ behaviour = runs, trace }: SceneOptions = {}): ForkingLab['fork'] {
  const engine = mockEngine(behaviour);
  const seen = new Set<number>();
  let forks = 0;
  return async ({ orders, machine, folder, signal, switches }) => {
    const made = !seen.has(orders.seed);
    seen.add(orders.seed);
    const index = forks++;
    const outcome: GuestOutcome = await engine.runTrial(orders, machine, folder, signal);
    const lines = trace?.(orders, index);
    if (switches !== undefined && lines !== undefined) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, switches), lines.map((line) => `${line}\n`).join(''));
    }
    const from = { snapshot: `snap-${orders.seed}`, made, seconds: made ? 12.5 : 0.1, virtualNs: 5_000_000 };
    return { outcome, from };
  };
}

export function sceneLab(consoles: string, options: SceneOptions = {}): ForkingLab {
  return { fork: sceneFork(options), catalog: CATALOG, consoles, jobs: options.jobs ?? 1 };
}
