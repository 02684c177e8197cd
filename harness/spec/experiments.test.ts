// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { LEAST_BLOCKS } from '../../analysis/stats/verdict.ts';
import { loadCatalog } from '../core/load-catalog.ts';
import { specJsonSchema } from './json-schema.ts';
import { readSpec } from './read-spec.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'harness/experiments');
const experiments = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

for (const file of experiments) {
  test(`${file} is valid with the policies, workloads and recipes that ship`, async (t) => {
    const spec = await readSpec(join(folder, file), await loadCatalog(root));
    t.is(`${spec.name}.yaml`, file);
  });

  test(`${file} names the schema for editors`, (t) => {
    const text = readFileSync(join(folder, file), 'utf8');
    t.regex(text, /^# yaml-language-server: \$schema=\.\/spec\.schema\.json$/m);
  });
}

test('the quickstart compares at least three schedulers with EEVDF on four workloads, in blocks enough for verdicts', async (t) => {
  const spec = await readSpec(join(folder, 'quickstart.yaml'), await loadCatalog(root));
  t.is(spec.baseline, 'eevdf');
  t.true(spec.policies.filter((policy) => policy.startsWith('scx_')).length >= 3);
  t.is(new Set(spec.workloads.map(({ workload }) => workload)).size, 4);
  t.true(spec.seeds.count >= LEAST_BLOCKS);
  t.deepEqual(spec.controls, ['aa']);
  t.is(spec.machine.engine, 'exact');
});

test('the schema beside the experiments is the one of the code', (t) => {
  const committed = JSON.parse(readFileSync(join(folder, 'spec.schema.json'), 'utf8'));
  t.deepEqual(committed, specJsonSchema(), 'Run: pmvx schema > harness/experiments/spec.schema.json');
});
