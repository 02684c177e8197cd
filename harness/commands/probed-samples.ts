// SPDX-License-Identifier: Apache-2.0
import type { Counted } from '../../analysis/features/counted.ts';
import { SCALES, type Scale } from '../../analysis/features/scales.ts';
import type { LabelledVector } from '../../analysis/features/separation.ts';
import { workloadVector } from '../../analysis/features/workload-vector.ts';
import { BASELINE } from '../../analysis/policy-map/run-evidence.ts';
import type { StoredRun } from '../store/run-folder.ts';
import { countedOfTrial } from './learnt-run.ts';

/** What probes counted in a trial of EEVDF, and of which workload in which configuration. */
export interface ProbedSample {
  readonly workload: string;
  /** Parameters, vCPUs and speed: all that differs between samples of one workload but the seed. */
  readonly configuration: string;
  readonly counted: Counted;
}

/** A sample for each completed, measured trial of EEVDF that had probes. */
export function probedSamples({ spec, records }: StoredRun): ProbedSample[] {
  const { vcpus, speed } = spec.machine;
  return records.flatMap((record) => {
    if (record.state !== 'completed' || record.role !== 'measure' || record.policy !== BASELINE) return [];
    const counted = countedOfTrial(record, vcpus);
    const { workload, variant } = record;
    if (counted === undefined) return [];
    return [{ workload, configuration: `${variant}, ${vcpus} vCPUs of ${speed} MIPS`, counted }];
  });
}

/** Their vectors; `unknown` hears of samples that give none, and why. */
export function labelledVectors(
  samples: readonly ProbedSample[],
  unknown: (sample: ProbedSample, why: string) => void,
  scales: readonly Scale[] = SCALES,
): LabelledVector[] {
  return samples.flatMap((sample) => {
    const { workload, configuration, counted } = sample;
    const vector = workloadVector(counted, scales);
    if (vector.kind === 'vector') return [{ workload, configuration, values: vector.values }];
    unknown(sample, vector.why);
    return [];
  });
}
