// SPDX-License-Identifier: Apache-2.0
import type { Policy } from '../../core/policy.ts';
import { type Actuator, EEVDF, type KernelState, type SwitchReport } from '../contracts.ts';
import { definitionVersion } from './load-policies.ts';

/** Pretends that every switch is made at once, and touches nothing; what the kernel says is the kernel's. */
export function dryActuator(policies: readonly Policy[], readState: () => KernelState): Actuator {
  let held = EEVDF;
  return {
    policies: new Map(
      policies.map((policy) => [
        policy.id,
        { kind: policy.definition.kind, version: definitionVersion(policy) },
      ]),
    ),
    current: async () => readState(),
    held: () => held,
    departure: async () => undefined,
    stranger: async () => {
      const { state, ops } = readState();
      return state === 'enabled' ? (ops ?? 'a scheduler without a name') : undefined;
    },
    switchTo: async (to): Promise<SwitchReport> => {
      const from = held;
      held = to;
      return { from, to, gapNs: 0, preparedNs: 0, outcome: 'active', proof: 'dry run: nothing was done' };
    },
    release: async () => {
      held = EEVDF;
    },
  };
}
