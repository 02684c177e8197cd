// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Counted } from '../../analysis/features/counted.ts';
import type { Catalog } from '../core/catalog.ts';
import { namedFile } from '../core/file-parameter.ts';
import type { Seed } from '../core/seed.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import type { ParameterValues, Workload } from '../core/workload.ts';
import type { Engine } from '../lab/engine.ts';
import { runTrials } from '../run/controller.ts';
import { formatProfile, type Profile } from './profile.ts';

/** What came of a profile in the guest. */
export type Measured =
  | { readonly kind: 'counted'; readonly counted: Counted; readonly makespanSeconds: number }
  | { readonly kind: 'none'; readonly why: string };

/** Where profiles are tried out. */
export interface Bench {
  /** In the order of the profiles; rejects with the signal's reason when stopped. */
  measure(profiles: readonly Profile[]): Promise<readonly Measured[]>;
}

export interface LabBench {
  readonly engine: Engine;
  readonly spec: Spec;
  readonly catalog: Pick<Catalog, 'workloads' | 'policies'>;
  /** Gets profiles and consoles. */
  readonly folder: string;
  readonly jobs: number;
  readonly seed: Seed;
  readonly signal: AbortSignal;
}

/** A workload with its parameters. */
export interface Use {
  readonly workload: string;
  readonly params: ParameterValues;
}

/** A profile that takes longer is none for a short look. Guest seconds. */
const LONGEST_SECONDS = 8;
export const SYNTH = 'synth';
export const MOST_PROFILE_BYTES = 65_536;

/** The workload synth with the profile in a file. */
export function synthUse(path: string): Use {
  return { workload: SYNTH, params: { profile: namedFile(path, MOST_PROFILE_BYTES), share_percent: 100 } };
}

/** Short runs under the baseline with probes, each a fork of one quiescent machine. */
export function labBench(
  lab: LabBench,
): Bench & { measureUses(uses: readonly Use[]): Promise<readonly Measured[]> } {
  let tried = 0;
  const measureUses = async (uses: readonly Use[]) => {
    const trials = uses.map(
      ({ workload, params }): PlannedTrial => ({
        ...{
          trial: String(++tried).padStart(4, '0'),
          block: 0,
          seed: lab.seed,
          workload,
          variant: 'tried',
          params,
        },
        ...{ point: 'quiescent', policy: lab.spec.baseline, role: 'measure' },
      }),
    );
    const records = await runAll(lab, trials);
    return trials.map(({ trial }) => measuredOf(records.get(trial), lab.spec.machine.vcpus));
  };
  return {
    measureUses,
    async measure(profiles) {
      const uses: Use[] = [];
      for (const [at, profile] of profiles.entries()) {
        const number = String(tried + at + 1).padStart(4, '0');
        const path = join(lab.folder, `${number}.profile`);
        await writeFile(path, formatProfile(profile, `try ${number}`));
        uses.push(synthUse(path));
      }
      return measureUses(uses);
    },
  };
}

async function runAll(lab: LabBench, trials: readonly PlannedTrial[]): Promise<Map<string, TrialRecord>> {
  const records: TrialRecord[] = [];
  const { spec, engine, catalog, folder, jobs, signal } = lab;
  await runTrials({
    run: 'tune',
    spec,
    trials,
    catalog: {
      policies: catalog.policies,
      workloads: new Map([...catalog.workloads].map(([id, each]) => [id, hurried(each)])),
    },
    engine,
    log: { records, append: (record) => void records.push(record) },
    consoles: join(folder, 'consoles'),
    jobs,
    signal,
    watch: () => undefined,
  });
  signal.throwIfAborted();
  return new Map(records.map((record) => [record.trial, record]));
}

function hurried(workload: Workload): Workload {
  if (workload.id !== SYNTH) return workload;
  return { ...workload, definition: { ...workload.definition, deadline_s: LONGEST_SECONDS } };
}

function measuredOf(record: TrialRecord | undefined, vcpus: number): Measured {
  if (record === undefined) return { kind: 'none', why: 'it was not run' };
  if (record.state !== 'completed') return { kind: 'none', why: `${record.state}: ${record.reason}` };
  const counted = Object.entries(record.probes ?? {});
  const [first] = counted;
  if (first === undefined) return { kind: 'none', why: 'it has no probes' };
  const sets = Object.fromEntries(counted.map(([set, { counters }]) => [set, counters]));
  const makespan = record.metrics.find(({ name }) => name === 'makespan')?.value ?? 0;
  return { kind: 'counted', counted: { durationNs: first[1].ns, vcpus, sets }, makespanSeconds: makespan };
}
