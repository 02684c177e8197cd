// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../core/trial.ts';

/**
 * Makes records as small as tables and figures need them: without what programs printed and what the kernel said, and with one string for
 * each name. A million of them fit into memory.
 */
export function slimRecords(): (record: TrialRecord) => TrialRecord {
  const shared = sharedNames();
  return (record) => {
    const { schedBefore: _before, schedAfter: _after, ...rest } = shared(record);
    return rest;
  };
}

/**
 * What a controller keeps of the records of its run: without what programs printed and what probes counted, which stay on disk; `trials.csv` can be
 * made of it.
 */
export function keptRecords(): (record: TrialRecord) => TrialRecord {
  const shared = sharedNames();
  return (record) => {
    const { probes: _probes, ...rest } = shared(record);
    return rest;
  };
}

function sharedNames(): (record: TrialRecord) => TrialRecord {
  const known = new Map<string, string>();
  const shared = <T extends string>(text: T): T => {
    const first = known.get(text);
    if (first !== undefined) return first as T;
    known.set(text, text);
    return text;
  };
  return (record) => {
    const { output: _output, ...rest } = record;
    const names = {
      run: shared(rest.run),
      workload: shared(rest.workload),
      variant: shared(rest.variant),
      policy: shared(rest.policy),
    };
    if (rest.state !== 'completed') {
      const { detail: _detail, ...bare } = rest;
      return { ...bare, ...names, reason: shared(rest.reason) };
    }
    return {
      ...rest,
      ...names,
      metrics: rest.metrics.map((metric) => ({
        ...metric,
        name: shared(metric.name),
        unit: shared(metric.unit),
      })),
    };
  };
}
