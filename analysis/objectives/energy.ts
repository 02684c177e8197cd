// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../../harness/core/trial.ts';
import { withModelledEnergy } from './energy-model.ts';

/** Name of the energy that the host's processor packages took while a trial ran: everything on the host, from the machine's start to its end. */
export const ENERGY_PACKAGE = 'energy_package';

/**
 * Records of a run whose metrics include energy: measured where every completed trial has it (a mean over some trials would be of other trials than the
 * metric beside it), and modelled where it can be had. Derived, not recorded as metrics: the model may change, what was measured may not.
 */
export function withEnergy(records: readonly TrialRecord[], vcpus: number): TrialRecord[] {
  const modelled = withModelledEnergy(records, vcpus);
  const completed = records.filter(({ state }) => state === 'completed');
  if (completed.length === 0 || completed.some(({ host }) => host.joules === undefined)) return modelled;
  return modelled.map((record) => {
    if (record.state !== 'completed' || record.host.joules === undefined) return record;
    const metric = { name: ENERGY_PACKAGE, unit: 'J', direction: 'lower', primary: false } as const;
    return { ...record, metrics: [...record.metrics, { ...metric, value: record.host.joules }] };
  });
}
