// SPDX-License-Identifier: Apache-2.0
import { randomWords, uniform } from '../stats/random.ts';
import type { Evidence, Machine, Observation, Outcome, RunEvidence } from './evidence.ts';

export const SAMPLE_MACHINE: Machine = {
  engine: 'mock',
  kernel: '7.3.4',
  nodes: 1,
  sockets: 1,
  cores: 4,
  threads: 1,
  cpu: '250 MIPS',
};

export const SAMPLE_KIND = { features: 'sample-1', dimensions: 4 } as const;

const AT = '2026-01-02T03:04:05.000Z';

export function sampleRunEvidence(over: Partial<RunEvidence> = {}): RunEvidence {
  return { kind: 'run', run: 'r1', machine: SAMPLE_MACHINE, createdAt: AT, ...over };
}

export function sampleObservation(over: Partial<Observation> = {}): Observation {
  const trial = {
    run: 'r1',
    trial: '0000',
    workload: 'w',
    variant: 'default',
    point: 'quiescent',
    policy: 'eevdf',
  } as const;
  return { kind: 'observation', ...trial, at: AT, window: -1, vector: [1, 0, 0, 0], ...over };
}

export function sampleOutcome(over: Partial<Outcome> = {}): Outcome {
  const trial = {
    run: 'r1',
    trial: '0001',
    workload: 'w',
    variant: 'default',
    point: 'quiescent',
    policy: 'fast',
  } as const;
  const facts = { baseline: '0000', block: 0, seed: 7, state: 'completed', failed: false } as const;
  return { kind: 'outcome', ...trial, at: AT, ...facts, logCosts: { primary: -0.5, time: -0.5 }, ...over };
}

/** Made-up evidence of any size: situations in `groups` groups of like vectors, some policies, some blocks. */
export function* sampleEvidence(given: {
  readonly run: string;
  readonly situations: number;
  readonly policies: number;
  readonly blocks: number;
  readonly dimensions: number;
  readonly groups?: number;
  readonly machine?: Machine;
}): Iterable<Evidence> {
  const { run, situations, policies, blocks, dimensions, groups = 40, machine = SAMPLE_MACHINE } = given;
  yield sampleRunEvidence({ run, machine });
  let trials = 0;
  for (let situation = 0; situation < situations; situation++) {
    const names = { run, workload: `w${situation}` } as const;
    const vector = sampleVector(dimensions, situation, groups);
    yield sampleObservation({ ...names, trial: String(trials), vector });
    const [common, own] = [randomWords(1, situation % groups), randomWords(2, situation)];
    const means = Array.from({ length: policies }, () => uniform(common) - 0.5);
    for (let block = 0; block < blocks; block++) {
      const baseline = String(trials++);
      for (let policy = 0; policy < policies; policy++) {
        const value = (means[policy] as number) + (uniform(own) - 0.5) / 10;
        const logCosts = { primary: value, time: value };
        const trial = String(trials++);
        yield sampleOutcome({ ...names, trial, baseline, block, policy: `p${policy}`, logCosts });
      }
    }
  }
}

/** A unit vector near to those of its group. */
export function sampleVector(dimensions: number, situation: number, groups: number): number[] {
  const [common, own] = [randomWords(3, situation % groups), randomWords(4, situation)];
  const values = Array.from({ length: dimensions }, () => uniform(common) - 0.5 + (uniform(own) - 0.5) / 5);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}
