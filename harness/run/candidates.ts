// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../core/ids.ts';
import type { Policy } from '../core/policy.ts';

/**
 * The policies among `policies` that a machine prepares before it forks: those that a process holds. Sorted by id, and each
 * program with its arguments once, so that the machine does not depend on how a spec lists them.
 */
export function candidatesOf(policies: readonly Policy[]): Policy[] {
  const found = new Map<string, Policy>();
  for (const policy of policies.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const { definition } = policy;
    if (definition.kind !== 'process') continue;
    const key = canonicalJson([definition.ops, definition.argv]);
    if (!found.has(key)) found.set(key, policy);
  }
  return [...found.values()];
}
