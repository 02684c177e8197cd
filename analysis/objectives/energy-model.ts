// SPDX-License-Identifier: Apache-2.0
import type { Metric } from '../../harness/core/metric.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';

/** Name of the modelled energy of a run; a measured one has another. */
export const ENERGY_MODELLED = 'energy_modelled';

/**
 * What a CPU is taken to draw. Only ratios between policies mean anything, and these only as far as the model holds.
 *
 * Busy: the thermal design power of an AMD EPYC 7742 over its 64 cores, 225 W / 64 (AMD's data sheet). Idle: half of that, as Barroso and
 * Hölzle found of servers, "The Case for Energy-Proportional Computing", IEEE Computer 40 (2007). Wake-up: 10 us of busy power, the exit
 * latency of C1E that Linux' intel_idle has for Skylake servers (drivers/idle/intel_idle.c, skx_cstates).
 */
export const POWER_MODEL = { busyWatts: 3.5, idleWatts: 1.75, joulesPerWakeUp: 35e-6 } as const;

/**
 * Energy of a trial's run by the model, in joules: busy time (user and system time of its processes), idle time (the rest of all vCPUs over the
 * run) and wake-ups (their voluntary switches: each slept, and was woken). Not in it: frequencies, caches, kernel threads, and a scheduler's own
 * process. Undefined when the trial did not complete or its usage is not known.
 */
export function modelledEnergy(record: TrialRecord, vcpus: number): Metric | undefined {
  if (record.state !== 'completed' || record.usage === undefined) return undefined;
  const { elapsedNs, userNs, systemNs, voluntarySwitches } = record.usage;
  const busy = (userNs + systemNs) / 1e9;
  const idle = Math.max(0, (vcpus * elapsedNs) / 1e9 - busy);
  const { busyWatts, idleWatts, joulesPerWakeUp } = POWER_MODEL;
  const value = busyWatts * busy + idleWatts * idle + joulesPerWakeUp * voluntarySwitches;
  return { name: ENERGY_MODELLED, unit: 'J', direction: 'lower', primary: false, value };
}

/** Records whose metrics include the modelled energy, where it can be had. */
export function withModelledEnergy(records: readonly TrialRecord[], vcpus: number): TrialRecord[] {
  return records.map((record) => {
    const energy = modelledEnergy(record, vcpus);
    if (record.state !== 'completed' || energy === undefined) return record;
    return { ...record, metrics: [...record.metrics, energy] };
  });
}
