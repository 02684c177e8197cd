// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { Catalog } from '../core/catalog.ts';
import { PolicySchema } from '../core/policy.ts';
import { imageContentFaults } from './image-faults.ts';
import { sampleCatalog } from './sample-catalog.ts';

const lavd = PolicySchema.parse({
  ...sampleCatalog.policies.get('scx_simple')?.definition,
  crate: 'scx_lavd@1.1.4',
});

const catalog: Catalog = {
  ...sampleCatalog,
  policies: new Map([...sampleCatalog.policies, ['scx_lavd', { id: 'scx_lavd', definition: lavd }]]),
  workloads: new Map(
    [...sampleCatalog.workloads].map(([id, workload]) => [
      id,
      {
        id,
        definition: { ...workload.definition, packages: id === 'boot' ? [] : ['perl', 'wrk', 'nginx-light'] },
      },
    ]),
  ),
  images: new Map([
    ['quick', { packages: ['perl'], crates: [] }],
    ['full', { packages: ['nginx-light', 'perl/trixie-backports', 'wrk'], crates: ['scx_lavd@1.1.4'] }],
  ]),
};

const spec = (image: string) => ({
  image,
  policies: ['eevdf', 'scx_lavd'],
  workloads: [{ use: 'boot' }, { use: 'hackbench' }],
});

test('a workload and a policy that the image cannot run are told by name, with what is missing and where it is', (t) => {
  t.deepEqual(imageContentFaults(spec('quick'), catalog), [
    {
      path: ['policies', 1],
      what: 'policy scx_lavd needs scx_lavd@1.1.4, which image quick does not have',
      next: 'use image: full',
    },
    {
      path: ['workloads', 1, 'use'],
      what: 'workload hackbench needs wrk, nginx-light, which image quick does not have',
      next: 'use image: full',
    },
  ]);
});

test('an image that has everything is no fault, whatever suite its packages come from', (t) => {
  t.deepEqual(imageContentFaults(spec('full'), catalog), []);
});

test('a spec that is broken elsewhere, or names no known image, adds no fault here', (t) => {
  t.deepEqual(imageContentFaults({ image: 7, policies: 'eevdf', workloads: [1, null, {}] }, catalog), []);
  t.deepEqual(imageContentFaults(spec('nothing'), catalog), []);
});
