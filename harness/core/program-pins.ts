// SPDX-License-Identifier: Apache-2.0
import type { Fault } from './errors.ts';
import type { Policy } from './policy.ts';

/** `file:line:col` of a key of a policy's definition. */
type Locate = (id: string, path: readonly PropertyKey[]) => string;

/**
 * Policies that say that they come from different sources and would run the same file: an image has one program of a name. A policy is its
 * bytes, not its label, so neither is one. By policy, with both places.
 */
export function pinFaults(policies: Iterable<Policy>, locate: Locate): ReadonlyMap<string, readonly Fault[]> {
  const pinned = [...policies].flatMap(({ id, definition }) => {
    if (definition.kind !== 'process') return [];
    const { argv, crate } = definition;
    const where = locate(id, crate === undefined ? ['argv', 0] : ['crate']);
    return [{ id, program: argv[0] ?? '', crate, where }];
  });
  const faults = new Map<string, Fault[]>();
  for (const one of pinned) {
    for (const other of pinned) {
      const isSame = one.program === other.program || nameOf(one.crate) === nameOf(other.crate, 'none');
      if (one.id === other.id || one.crate === other.crate || !isSame) continue;
      const what = `${sourceOf(one)} is the same program as ${sourceOf(other)} of policy ${other.id} (${other.where}), and an image has one of them: both would run the same file`;
      const next = 'Keep one of the two';
      faults.set(one.id, [...(faults.get(one.id) ?? []), { where: one.where, what, next }]);
    }
  }
  return faults;
}

function nameOf(crate: string | undefined, otherwise?: string): string | undefined {
  return crate?.replace(/@.*$/, '') ?? otherwise;
}

function sourceOf({
  crate,
  program,
}: {
  readonly crate: string | undefined;
  readonly program: string;
}): string {
  return crate ?? `${program} of the kernel's source`;
}
