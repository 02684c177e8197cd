// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, shortDigest } from '../../harness/core/ids.ts';
import { type DebianSource, hostDebian } from './debian.ts';
import type { Recipe } from './recipe.ts';
import type { Workshop } from './workshop.ts';

/** Left out of every root: nothing here is read by a program. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];

/** The archive of the guest's root file system. */
export async function guestRoot(recipe: Recipe, shop: Workshop): Promise<string> {
  const debian = await hostDebian();
  const path = join(shop.cache, 'roots', `guest-${rootKey(recipe.suite, recipe.guest, debian)}.tar`);
  if (existsSync(path)) return path;
  shop.say('guest root: installing packages');
  const partial = join(shop.scratch, 'guest.tar');
  await shop.step('guest root', async ($) => {
    await $`mmdebstrap ${options(recipe.suite, recipe.guest, debian)} --format=tar ${recipe.suite} ${partial} ${lines(recipe.suite, debian)}`;
  });
  await mkdir(join(shop.cache, 'roots'), { recursive: true });
  await rename(partial, path);
  return path;
}

/** The unpacked root with compilers and QEMU, owned by whoever builds. */
export async function toolsRoot(recipe: Recipe, shop: Workshop): Promise<string> {
  const debian = await hostDebian();
  const path = join(shop.cache, 'roots', `tools-${rootKey(recipe.suite, recipe.tools, debian)}`);
  if (existsSync(path)) return path;
  shop.say('tools root: installing QEMU, compilers, kernel headers and source');
  const partial = join(shop.scratch, 'tools');
  await mkdir(partial);
  // Device nodes cannot be made without root; the compile step brings the host's.
  const owner = process.getuid?.() === 0 ? [] : ['--no-same-owner', '--exclude=./dev/*'];
  await shop.step('tools root', async ($) => {
    await $`mmdebstrap ${options(recipe.suite, recipe.tools, debian)} --format=tar ${recipe.suite} - ${lines(recipe.suite, debian)} | tar -x -C ${partial} ${owner}`;
  });
  await mkdir(join(shop.cache, 'roots'), { recursive: true });
  await rename(partial, path).catch(async (error: NodeJS.ErrnoException) => {
    // Another build was faster: its root is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(partial, { recursive: true, force: true });
  });
  return path;
}

function rootKey(suite: string, packages: readonly string[], debian: DebianSource): string {
  return shortDigest(
    canonicalJson({ suite, packages: [...packages].sort(), uri: debian.uri, left: LEFT_OUT }),
  );
}

function lines(suite: string, debian: DebianSource): string[] {
  const source = `deb [signed-by=${debian.keyring}] ${debian.uri}`;
  return [`${source} ${suite} main`, `${source} ${suite}-backports main`];
}

function options(suite: string, packages: readonly string[], debian: DebianSource): string[] {
  const include = packages.map((name) => name.replace(/\/.*$/, (from) => (from === `/${suite}` ? '' : from)));
  return [
    '--variant=essential',
    `--include=${include.join(',')}`,
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Retries "3"',
    ...debian.aptOptions.map((option) => `--aptopt=${option}`),
    '--dpkgopt=force-unsafe-io',
    ...LEFT_OUT.map((glob) => `--dpkgopt=path-exclude=${glob}`),
    `--customize-hook=sh "$PMVX_PACKAGES_HOOK" "$1"`,
  ];
}
