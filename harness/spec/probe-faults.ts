// SPDX-License-Identifier: Apache-2.0
import type { SpecFault } from './fault.ts';
import { isMap } from './is-map.ts';
import { RawMachine, RawSpec } from './raw-spec.ts';
import { soundFields } from './sound.ts';

/** Probes are loaded and read by the guest's agent: an engine without a guest cannot have them. Counting for a part of a window needs a longer window. */
export function probeFaults(spec: Readonly<Record<string, unknown>>): SpecFault[] {
  return [...engineFaults(spec), ...turnFaults(spec)];
}

function engineFaults(spec: Readonly<Record<string, unknown>>): SpecFault[] {
  if (!Array.isArray(spec.probes) || spec.probes.length === 0 || !isMap(spec.machine)) return [];
  const { engine } = soundFields(RawMachine, spec.machine);
  if (engine !== 'native' && engine !== 'mock') return [];
  return [
    {
      path: ['probes'],
      what: `probes count in a guest, and ${engine} has none`,
      next: 'Remove probes, or set engine: exact, tcg or kvm.',
    },
  ];
}

function turnFaults(spec: Readonly<Record<string, unknown>>): SpecFault[] {
  const { probeOnMs = 0, probeWindowMs } = soundFields(RawSpec, spec);
  if (probeOnMs === 0 || probeWindowMs === undefined || probeOnMs < probeWindowMs) return [];
  return [
    {
      path: ['probeOnMs'],
      what: `must be less than probeWindowMs, which is ${probeWindowMs}, got ${probeOnMs}`,
      next: 'Make windows longer, or remove probeOnMs to count all the time.',
    },
  ];
}
