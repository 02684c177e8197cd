// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Counted } from '../../analysis/features/counted.ts';
import { countedOf } from '../../analysis/features/window-vector.ts';
import {
  type KnownVector,
  type UnknownVector,
  workloadVector,
} from '../../analysis/features/workload-vector.ts';
import { withEnergy } from '../../analysis/objectives/energy.ts';
import type { Machine } from '../../analysis/policy-map/evidence.ts';
import { BASELINE, type LearntRun } from '../../analysis/policy-map/run-evidence.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { CompletedTrial } from '../core/trial.ts';
import { readRun, type StoredRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { findRun } from './find-run.ts';
import { windowVectors } from './window-vectors.ts';

/** Reads the run that `name` means, and passes its notices on. */
export async function openStoredRun(name: string, context: CommandContext): Promise<StoredRun> {
  const run = await readRun(await findRun(name, join(context.root, 'results', 'runs')));
  for (const notice of run.notices) context.warn(`pmvx: ${notice}`);
  return run;
}

/** The machine on which a run was measured, as maps compare machines. */
export function machineOfRun({ spec, provenance }: StoredRun): Machine {
  const { engine, topology, speed } = spec.machine;
  const inGuest = engine !== 'native' && engine !== 'mock';
  const kernel = inGuest ? provenance.image.guestKernel : provenance.host.kernel;
  if (kernel === undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: `run ${provenance.run}`,
      what: 'its provenance names no kernel, so nobody knows about which machine it speaks',
      next: 'Run the spec again',
    });
  }
  const cpu =
    engine === 'exact' || engine === 'mock' ? `${speed} MIPS` : (provenance.host.cpuModel ?? 'unknown');
  const { nodes, sockets, cores, threads } = topology;
  return { engine, kernel, nodes, sockets, cores, threads, cpu };
}

/** What a completed trial's probes counted over the whole run; undefined without probes. */
export function countedOfTrial({ probes }: CompletedTrial, vcpus: number): Counted | undefined {
  return probes === undefined || Object.keys(probes).length === 0 ? undefined : countedOf(probes, vcpus);
}

/** The same as a vector. */
export function vectorOfTrial(
  record: CompletedTrial,
  vcpus: number,
): KnownVector | UnknownVector | undefined {
  const counted = countedOfTrial(record, vcpus);
  return counted && workloadVector(counted);
}

/**
 * A run ready to be learnt, and of how many completed trials the vector is missing or unknown, by reason. With windows, those of a trial are vectors of its
 * situation beside the whole run's.
 */
export async function learntRun(
  run: StoredRun,
  withWindows = false,
): Promise<{
  readonly learnt: LearntRun;
  readonly without: Map<string, number>;
}> {
  const { spec, provenance, records } = run;
  if (spec.baseline !== BASELINE) {
    throw new PmvxError(ExitCode.usage, {
      where: `run ${provenance.run}`,
      what: `its baseline is ${spec.baseline}; a map compares with ${BASELINE}`,
      next: `Run the spec with baseline: ${BASELINE}`,
    });
  }
  const without = new Map<string, number>();
  const windows = new Map<string, Awaited<ReturnType<typeof windowVectors>>>();
  for (const record of records) {
    if (withWindows && record.state === 'completed' && record.probes !== undefined)
      windows.set(record.trial, await windowVectors(run, record));
  }
  const { image } = provenance;
  const learnt: LearntRun = {
    run: provenance.run,
    machine: machineOfRun(run),
    ...(image.id === undefined ? {} : { image: image.id }),
    ...(provenance.definitions === undefined ? {} : { definitions: provenance.definitions }),
    createdAt: provenance.createdAt,
    // Measured energy is preferred where a trial has it.
    records: withEnergy(records, spec.machine.vcpus),
    vectorsOf(record) {
      const vector = vectorOfTrial(record, spec.machine.vcpus);
      if (vector?.kind === 'vector') {
        return [{ window: -1, values: vector.values }, ...(windows.get(record.trial) ?? [])];
      }
      const why = vector === undefined ? 'no probes' : vector.why;
      without.set(why, (without.get(why) ?? 0) + 1);
      return [];
    },
  };
  return { learnt, without };
}
