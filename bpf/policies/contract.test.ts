// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../../harness/core/load-catalog.ts';
import { checkPolicies } from '../../harness/scaffold/check-policies.ts';
import { checkPolicy } from '../../harness/scaffold/check-policy.ts';

// What `pmvx lint` checks, each check as a test. What the checks find is tested in harness/scaffold.
const ROOT = join(import.meta.dirname, '..', '..');
const policies = [...(await loadCatalog(ROOT)).policies.values()];
// Tests are declared without waiting in between.
const found = await Promise.all(
  policies.map(async (policy) => ({ id: policy.id, checks: await checkPolicy(ROOT, policy) })),
);

test('the built-in scheduler is there once, as the baseline of all others', (t) => {
  const builtin = policies.filter(({ definition }) => definition.kind === 'builtin');
  t.deepEqual(
    builtin.map(({ id }) => id),
    ['eevdf'],
  );
});

for (const { id, checks } of found) {
  for (const { what, fault } of checks) {
    test(`${id}: ${what}`, (t) => t.is(fault, undefined));
  }
}

for (const { what, fault } of checkPolicies(policies)) {
  test(what, (t) => t.is(fault, undefined));
}
