// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../core/ids.ts';
import type { Policy } from '../core/policy.ts';
import { type Check, checked } from './check.ts';

/** What policies must fulfil together: two that do the same are one too many, and modules are loaded once for all. */
export function checkPolicies(policies: readonly Policy[]): Check[] {
  const builtin = policies.filter(({ definition }) => definition.kind === 'builtin').map(({ id }) => id);
  return [
    checked(
      "at most one policy is the kernel's own scheduler",
      builtin.length > 1 ? [builtin.join(', ')] : [],
    ),
    checked('no two policies do the same', repeated(policies, deed, 'are the same')),
    checked('all that load a module load it with the same options', optionFaults(policies)),
  ];
}

/** What a policy does, apart from its words; undefined where that is its folder's own. */
function deed({ definition }: Policy): string | undefined {
  if (definition.kind === 'process') return canonicalJson(definition.argv);
  if (definition.kind === 'knob')
    return canonicalJson(definition.settings.map(({ path, value }) => `${path}=${value}`).sort());
  return undefined;
}

function repeated(
  policies: readonly Policy[],
  keyOf: (policy: Policy) => string | undefined,
  are: string,
): string[] {
  const groups = Map.groupBy(policies, keyOf);
  groups.delete(undefined);
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => `${group.map(({ id }) => id).join(', ')} ${are}`);
}

/** Options of a module that is loaded already are ignored. */
function optionFaults(policies: readonly Policy[]): string[] {
  const modules = new Set(
    policies.flatMap(({ definition }) => (definition.kind === 'knob' ? definition.modules : [])),
  );
  const byName = Map.groupBy(modules, (each) => each.replace(/ .*/, ''));
  return [...byName.values()].filter((each) => each.length > 1).map((each) => each.join(' and '));
}
