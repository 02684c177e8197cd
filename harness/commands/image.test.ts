// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode } from '../core/errors.ts';
import { imageDigest, imageFolder, readManifest } from '../lab/image.ts';
import { fileDigest } from '../lab/image-files.ts';
import type { Command, CommandContext } from './context.ts';
import { imageBuildCommand, imageLockCommand, imageVerifyCommand } from './image.ts';
import { imageRows } from './image-rows.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const SHA = 'a'.repeat(64);
const entry = (version: string) => ({ version, architecture: 'amd64', sha256: SHA });
const PACKAGES = { guest: { 'linux-perf': entry('7.3') }, tools: { gcc: entry('14') } };

interface Scene {
  readonly root: string;
  readonly cache: string;
  readonly folder: string;
  readonly lines: string[];
  readonly context: CommandContext;
}

/** An image as a build leaves it, of one recipe of `root`; a project of its own unless one is given. */
async function builtImage(t: ExecutionContext, recipe = 'tiny', project?: string): Promise<Scene> {
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-image-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const root = project ?? join(scratch, 'project');
  const cache = join(scratch, 'cache');
  if (project === undefined) {
    const text = 'summary: Tiny.\nsuite: trixie\nguest: [perf]\ntools: [gcc]\nqemu: "10.0"\nschedulers: []\n';
    await write(join(root, 'vm-images/recipes/tiny.yaml'), text);
  }
  const folder = await imageFolder(root, cache, recipe);
  const files: Record<string, { size: number; sha256: string }> = {};
  const parts = ['vmlinux', 'initrd.cpio', 'root.ext4', 'slice.so', 'qemu/bin/qemu-system-x86_64'];
  for (const name of [...parts, 'packages.json']) {
    const text = name === 'packages.json' ? JSON.stringify(PACKAGES) : name;
    await write(join(folder, name), text);
    files[name] = { size: text.length, sha256: await fileDigest(join(folder, name)) };
  }
  const facts = { guestKernel: '7.3.4', qemuVersion: '10.0.13', rootMiB: 1 };
  const manifest = { v: 1, recipe, id: basename(folder), ...facts, files };
  await write(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const lines: string[] = [];
  const context: CommandContext = {
    root,
    write: (line) => void lines.push(line),
    warn: (line) => void lines.push(line),
    catalog: async () => ({ policies: new Map(), workloads: new Map(), recipes: [recipe] }),
    signal: new AbortController().signal,
    isTTY: false,
    env: { PMVX_CACHE: cache },
  };
  return { root, cache, folder, lines, context };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function said(scene: Scene, command: Command<{ readonly recipe: string }>): Promise<string[]> {
  scene.lines.length = 0;
  await command({ recipe: 'tiny' }, scene.context);
  return scene.lines;
}

test('lock records what the image is made of; build says how many packages differ from it', async (t) => {
  const scene = await builtImage(t);
  t.is(
    (await said(scene, imageBuildCommand))[2],
    '     no lock to compare with: `./pmvx image lock tiny` writes vm-images/locks/tiny.json',
  );
  t.deepEqual(await said(scene, imageLockCommand), [
    'vm-images/locks/tiny.json: 1 packages in the guest root, 1 in the tools root',
  ]);
  t.is(
    (await said(scene, imageBuildCommand))[2],
    '     all 2 packages are those of vm-images/locks/tiny.json',
  );
  const path = join(scene.root, 'vm-images/locks/tiny.json');
  await writeFile(path, (await readFile(path, 'utf8')).replace('"7.3"', '"7.2"'));
  t.is(
    (await said(scene, imageBuildCommand))[2],
    '     1 of 2 packages differ from vm-images/locks/tiny.json: guest linux-perf: 7.2 -> 7.3',
  );
});

test('verify accepts a whole image and names the file that is not', async (t) => {
  const scene = await builtImage(t);
  t.regex((await said(scene, imageVerifyCommand))[0] ?? '', /^image tiny is whole: 6 files, digest /);
  await writeFile(join(scene.folder, 'slice.so'), 'slice.SO');
  await t.throwsAsync(said(scene, imageVerifyCommand), {
    message: `${scene.folder}/slice.so: this part of the image is corrupt: its SHA-256 is not the one that was built. Build it anew: \`./pmvx image build tiny --force\``,
    code: ExitCode.image,
  });
});

test('a list of images says what is built, tested, damaged, and left from other sources', async (t) => {
  const scene = await builtImage(t);
  const states = async () =>
    (await imageRows(scene.context)).map(({ state, selftest }) => `${state}/${selftest}`);
  t.deepEqual(await states(), ['built/not tested']);
  const digest = imageDigest(await readManifest(scene.folder, 'tiny'));
  const report = (passed: boolean, of: string) =>
    writeFile(join(scene.folder, 'selftest.json'), JSON.stringify({ v: 3, digest: of, passed }));
  await report(true, digest);
  t.deepEqual(await states(), ['built/passed']);
  await report(false, digest);
  t.deepEqual(await states(), ['built/FAILED']);
  await report(true, 'of another image');
  t.deepEqual(await states(), ['built/not tested']);
  await writeFile(join(scene.root, 'vm-images/recipes/tiny.yaml'), 'summary: Other.\n');
  t.deepEqual(await states(), ['not built/', 'of other sources/not tested']);
  await writeFile(join(scene.folder, 'manifest.json'), '{');
  t.deepEqual(await states(), ['not built/', 'damaged/']);
});

test('an image that is not there is listed with the name it will have', async (t) => {
  const scene = await builtImage(t);
  await rm(scene.cache, { recursive: true });
  t.deepEqual(await imageRows(scene.context), [
    { recipe: 'tiny', image: basename(scene.folder), state: 'not built', size: '', selftest: '' },
  ]);
});

test('run refuses a corrupt image by the name of the part, and makes no run', async (t) => {
  const scene = await builtImage(t, 'quick', PROJECT);
  const part = join(scene.folder, 'vmlinux');
  await writeFile(part, 'vmlinuX');
  const out = join(scene.cache, 'run');
  const args = ['harness/cli.ts', 'run', 'harness/experiments/ipc-first-look.yaml', '--out', out];
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: PROJECT,
    env: { ...process.env, PMVX_CACHE: scene.cache },
    encoding: 'utf8',
  });
  t.is(status, ExitCode.image, stderr);
  t.is(
    stderr,
    `pmvx: ${part}: this part of the image is corrupt: its SHA-256 is not the one that was built. Build it anew: \`./pmvx image build quick --force\`\n`,
  );
  t.false(existsSync(out));
});
