// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { imageContents } from './image-contents.ts';

const RECIPE = 'guest: [kmod, linux-perf/trixie-backports]\n';

async function project(t: ExecutionContext, recipe: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'pmvx-contents-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const files = {
    'vm-images/recipes/r.yaml': recipe,
    'workloads/web/workload.yaml': 'packages: [wrk, nginx-light, linux-perf]\n',
    'workloads/plain/workload.yaml': 'summary: needs nothing\n',
    'bpf/policies/b/policy.yaml': 'crate: scx_b@1.0.2\n',
    'bpf/policies/a/policy.yaml': 'crate: scx_a@2.0.0\n',
    'bpf/policies/c/policy.yaml': 'kind: builtin\n',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

test('a recipe that asks for neither all workloads nor all policies has its own packages only', async (t) => {
  const root = await project(t, RECIPE);
  t.deepEqual(await imageContents(root, 'r'), {
    packages: ['kmod', 'linux-perf/trixie-backports'],
    crates: [],
  });
});

test('workloads: all adds the packages of every workload, each once, and the suite that the recipe names stays', async (t) => {
  const root = await project(t, `${RECIPE}workloads: all\n`);
  const { packages, crates } = await imageContents(root, 'r');
  t.deepEqual(packages, ['kmod', 'linux-perf/trixie-backports', 'nginx-light', 'wrk']);
  t.deepEqual(crates, []);
});

test('policies: all adds the pinned crate of every policy that has one', async (t) => {
  const root = await project(t, `${RECIPE}policies: all\n`);
  t.deepEqual((await imageContents(root, 'r')).crates, ['scx_a@2.0.0', 'scx_b@1.0.2']);
});
