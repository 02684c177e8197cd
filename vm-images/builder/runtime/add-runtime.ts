// SPDX-License-Identifier: Apache-2.0
import { existsSync, statSync } from 'node:fs';
import { cp, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ExitCode, PmvxError } from '../../../harness/core/errors.ts';
import {
  GUEST_RUNTIME,
  NODE_PACKAGE,
  RUNTIME_MODULES,
  runtimeSources,
} from '../../../harness/core/runtime-parts.ts';
import { runInRoot } from '../enter-root.ts';
import type { Workshop } from '../workshop.ts';

/** As in assemble.ts. */
const EPOCH = '1767225600';
/** What Node reads of a package. */
const READ_BY_NODE = /\.(?:c?js|mjs|json|so)$/;

/**
 * The guest's root with Node, the packages that the daemon imports, and what is compiled for them; the archive that it was made from
 * stays as it is. compile.sh has run in `tools` before. Returns the new archive, in the workshop's scratch folder.
 */
export async function addRuntime(
  root: string,
  roots: { readonly tools: string; readonly guest: string },
  shop: Workshop,
): Promise<string> {
  shop.say('adding Node and what the daemon needs');
  const build = join(shop.scratch, 'runtime');
  const input = join(build, 'in');
  await mkdir(input, { recursive: true });
  for (const path of runtimeSources(root)) {
    await mkdir(dirname(join(input, path)), { recursive: true });
    await cp(join(root, path), join(input, path));
  }
  await cp(join(input, 'vm-images/builder/runtime/compile.sh'), join(build, 'compile.sh'));
  await cp(join(module(root, NODE_PACKAGE), 'bin/node'), join(input, 'node'));
  await cp(join(module(root, 'node-api-headers'), 'include'), join(input, 'node-api'), { recursive: true });
  await rename(join(shop.scratch, 'scx-include'), join(build, 'scx-include'));
  await shop.step('compile for Node', async ($) => {
    await runInRoot($, { root: roots.tools, build, script: 'compile.sh', args: [] });
  });

  const output = join(build, 'out');
  const tree = join(build, 'tree', GUEST_RUNTIME);
  const modules = join(tree, 'node_modules');
  for (const name of RUNTIME_MODULES) await copyModule(module(root, name), join(modules, name));
  const napi = join(modules, 'ebpf-napi');
  for (const name of ['index.js', 'package.json']) await cp(join(input, 'bpf/napi', name), join(napi, name));
  for (const name of ['ebpf.node', 'guardian']) await cp(join(output, name), join(napi, 'build', name));
  for (const name of ['node', 'day']) await cp(join(output, name), join(tree, 'bin', name));
  await cp(join(output, 'made-up'), join(tree, 'made-up'), { recursive: true });

  const guest = join(shop.scratch, 'guest-with-runtime.tar');
  const ours = join(build, 'ours.tar');
  await shop.step('guest root with Node', async ($) => {
    await $`tar -C ${join(build, 'tree')} -c -f ${ours} --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@${EPOCH} ./opt`;
    await $`cp ${roots.guest} ${guest}`;
    await $`tar --concatenate -f ${guest} ${ours}`;
    await $`rm -rf ${build}`;
  });
  return guest;
}

/** A package's folder below the project's node_modules. */
function module(root: string, name: string): string {
  const folder = join(root, 'node_modules', name);
  if (existsSync(folder)) return folder;
  throw new PmvxError(ExitCode.environment, {
    where: folder,
    what: 'an image with Node is made of this package, and it is not installed',
    next: 'Run `./pmvx` once, which installs it; such images are for x86-64 only',
  });
}

async function copyModule(from: string, to: string): Promise<void> {
  // Type declarations, sources and readers' files are more than half of the bytes.
  const filter = (path: string) => READ_BY_NODE.test(path) || statSync(path).isDirectory();
  await cp(from, to, { recursive: true, dereference: true, filter });
}
