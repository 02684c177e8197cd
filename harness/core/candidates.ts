// SPDX-License-Identifier: Apache-2.0
import { heldProgram } from './held-program.ts';
import { canonicalJson } from './ids.ts';
import type { Policy } from './policy.ts';

/** What the guest has room for; as in bpf/guest/agent/agent.h. */
export const MAX_CANDIDATES = 64;
export const MAX_MODULES = 16;

/**
 * The policies among `policies` that a machine prepares before it forks: those that a process holds. Sorted by id, and each
 * program with its arguments once, so that the machine does not depend on how a spec lists them.
 */
export function candidatesOf(policies: readonly Policy[]): Policy[] {
  const found = new Map<string, Policy>();
  for (const policy of policies.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const program = heldProgram(policy);
    if (program === undefined) continue;
    const key = canonicalJson([program.ops, program.argv]);
    if (!found.has(key)) found.set(key, policy);
  }
  return [...found.values()];
}

/** The kernel modules that any of `policies` needs, each with its options; the machine loads them before it forks. */
export function modulesOf(policies: readonly Policy[]): string[] {
  const modules = policies.flatMap(({ definition }) =>
    definition.kind === 'knob' ? definition.modules : [],
  );
  return [...new Set(modules)].sort();
}
