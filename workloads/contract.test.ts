// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../harness/core/load-catalog.ts';
import { checkDriver } from '../harness/scaffold/check-driver.ts';
import { checkWorkload } from '../harness/scaffold/check-workload.ts';

// What `pmvx lint` checks, each check as a test. What the checks find is tested in harness/scaffold.
const ROOT = join(import.meta.dirname, '..');
const workloads = [...(await loadCatalog(ROOT)).workloads.values()];
// Tests are declared without waiting in between.
const found = await Promise.all(
  workloads.map(async (workload) => ({ workload, checks: await checkWorkload(ROOT, workload) })),
);

for (const { workload, checks } of found) {
  for (const { what, fault } of checks) {
    test(`${workload.id}: ${what}`, (t) => t.is(fault, undefined));
  }
  if (workload.definition.source !== 'driver') continue;
  test.serial(`${workload.id}: its driver is as the contract says`, async (t) => {
    const checks = await checkDriver(ROOT, workload);
    t.true(checks.length > 1);
    t.deepEqual(
      checks.filter(({ fault }) => fault !== undefined),
      [],
    );
  });
}
