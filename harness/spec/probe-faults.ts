// SPDX-License-Identifier: Apache-2.0
import type { SpecFault } from './fault.ts';
import { isMap } from './is-map.ts';
import { RawMachine } from './raw-spec.ts';
import { soundFields } from './sound.ts';

/** Probes are loaded and read by the guest's agent: an engine without a guest cannot have them. */
export function probeFaults(spec: Readonly<Record<string, unknown>>): SpecFault[] {
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
