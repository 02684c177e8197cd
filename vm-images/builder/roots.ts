// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { canonicalJson, shortDigest } from '../../harness/core/ids.ts';
import { type DebianSource, hostDebian } from './debian.ts';
import { changeSince, keepSums } from './kept-sums.ts';
import type { Recipe } from './recipe.ts';
import type { Workshop } from './workshop.ts';

/**
 * Left out of every root: nothing here is read by a program. What tmpfiles.d makes depends on whether /proc could be mounted
 * during installation, and the agent of the guest does not ask for it.
 */
const LEFT_OUT = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/locale/*',
  '/usr/share/info/*',
  '/usr/lib/tmpfiles.d/*',
];

/** Files bear no later time than this (assemble.ts says the same), nor do the dates that packages' scripts write. */
const EPOCH = '1767225600';

/** The archive of the guest's root file system; a kept one unless packages are to be fetched `anew`. */
export async function guestRoot(recipe: Recipe, shop: Workshop, anew: boolean): Promise<string> {
  const debian = await hostDebian();
  const path = join(shop.cache, 'roots', `guest-${rootKey(recipe.suite, recipe.guest, debian)}.tar`);
  if (!anew && (await isKept(path, 'guest root', shop))) return path;
  shop.say('guest root: installing packages');
  const partial = join(shop.scratch, 'guest.tar');
  await shop.step('guest root', async ($) => {
    await $`${mmdebstrap(shop)} ${options(recipe.suite, recipe.guest, debian)} --format=tar ${recipe.suite} ${partial} ${lines(recipe.suite, debian)}`;
  });
  await putInto(path, partial, shop);
  return path;
}

/** The unpacked root with compilers and QEMU, owned by whoever builds. */
export async function toolsRoot(recipe: Recipe, shop: Workshop, anew: boolean): Promise<string> {
  const debian = await hostDebian();
  const path = join(shop.cache, 'roots', `tools-${rootKey(recipe.suite, recipe.tools, debian)}`);
  if (!anew && (await isKept(path, 'tools root', shop))) return path;
  shop.say('tools root: installing QEMU, compilers, kernel headers and source');
  const partial = join(shop.scratch, 'tools');
  await mkdir(partial);
  // Device nodes cannot be made by everyone; the compile step brings the host's.
  const owner = process.getuid?.() === 0 ? [] : ['--no-same-owner'];
  await shop.step('tools root', async ($) => {
    await $`${mmdebstrap(shop)} ${options(recipe.suite, recipe.tools, debian)} --format=tar ${recipe.suite} - ${lines(recipe.suite, debian)} | tar -x -C ${partial} --exclude=./dev/* ${owner}`;
  });
  await putInto(path, partial, shop);
  return path;
}

/**
 * mmdebstrap, installing in this build's own folder: what it leaves when it is killed goes with that. Python's imports write
 * no byte code: py3compile does, in another form, and which of them is first is chance.
 */
function mmdebstrap(shop: Workshop): string[] {
  const settings = [`TMPDIR=${shop.unpack}`, `SOURCE_DATE_EPOCH=${EPOCH}`, 'PYTHONDONTWRITEBYTECODE=1'];
  return ['env', ...settings, 'mmdebstrap'];
}

/** Whether a root of an earlier build is there, and every file of it is what was kept. */
async function isKept(path: string, what: string, shop: Workshop): Promise<boolean> {
  if (!existsSync(path)) return false;
  const change = await changeSince(path);
  if (change === undefined) return true;
  shop.say(`${what}: the kept one is damaged (${change}), and is made again`);
  return false;
}

/** Keeps a finished root, in place of the one that may be there. */
async function putInto(path: string, partial: string, shop: Workshop): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (existsSync(path)) await rename(path, join(shop.scratch, `replaced-${basename(path)}`));
  await keepSums(path, partial);
  await rename(partial, path);
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
