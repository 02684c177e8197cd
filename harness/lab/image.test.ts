// SPDX-License-Identifier: Apache-2.0
import { chmod, cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { imageDigest, imageFolder, imageId, requireImage } from './image.ts';
import { fileDigest, filesBelow } from './image-files.ts';

const RECIPE = 'tiny';
const PARTS = {
  vmlinux: 'kernel',
  'initrd.cpio': 'agent',
  'root.ext4': 'root file system',
  'slice.so': 'plugin',
  'packages.json': '{}',
  'qemu/bin/qemu-system-x86_64': 'emulator',
};
const REBUILD = 'Build it anew: `./pmvx image build tiny --force`';

interface Place {
  readonly root: string;
  readonly cache: string;
  /** Where the image is. */
  readonly folder: string;
}

/** A project of one recipe and one source, and its image as a build leaves it. */
async function builtImage(t: ExecutionContext): Promise<Place> {
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-image-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const root = join(scratch, 'project');
  const cache = join(scratch, 'cache');
  await write(join(root, 'vm-images/recipes/tiny.yaml'), 'a: 1\n');
  await write(join(root, 'bpf/guest/agent/main.c'), 'int main;\n');
  const folder = await imageFolder(root, cache, RECIPE);
  const files: Record<string, { size: number; sha256: string }> = {};
  for (const [name, text] of Object.entries(PARTS)) {
    const path = join(folder, name);
    await write(path, text);
    files[name] = { size: text.length, sha256: await fileDigest(path) };
  }
  const manifest = {
    v: 1,
    recipe: RECIPE,
    id: basename(folder),
    guestKernel: '7',
    qemuVersion: '10',
    rootMiB: 1,
  };
  await write(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, files }));
  return { root, cache, folder };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function refusalOf(t: ExecutionContext, { root, cache }: Place): Promise<string> {
  const error = await t.throwsAsync(requireImage(root, cache, RECIPE), { instanceOf: PmvxError });
  t.is(error.code, ExitCode.image);
  return error.message;
}

test('a whole image opens, with the self-test report that may lie beside it', async (t) => {
  const place = await builtImage(t);
  const { manifest, digest, folder } = await requireImage(place.root, place.cache, RECIPE);
  t.is(folder, place.folder);
  t.is(manifest.guestKernel, '7');
  t.is(digest, imageDigest(manifest));
  await write(join(folder, 'selftest.json'), '{}');
  await t.notThrowsAsync(requireImage(place.root, place.cache, RECIPE));
});

test('an image that was never built says how to build it', async (t) => {
  const place = await builtImage(t);
  await rm(place.folder, { recursive: true });
  t.is(
    await refusalOf(t, place),
    'image tiny: not built yet from the recipe and sources as they are now. Run `./pmvx image build tiny`',
  );
});

test('a changed recipe or source is another image; a changed README, test or sample is not', async (t) => {
  const { root } = await builtImage(t);
  const id = await imageId(root, RECIPE);
  t.regex(id, /^tiny-[0-9a-f]{16}$/);
  await write(join(root, 'bpf/guest/agent/README.md'), 'words\n');
  await write(join(root, 'bpf/guest/agent/agent.test.ts'), 'test();\n');
  await write(join(root, 'workloads/web/samples/default.txt'), 'rate 1\n');
  t.is(await imageId(root, RECIPE), id);
  await write(join(root, 'bpf/guest/agent/main.c'), 'int other;\n');
  const other = await imageId(root, RECIPE);
  t.not(other, id);
  await write(join(root, 'vm-images/recipes/tiny.yaml'), 'a: 2\n');
  t.not(await imageId(root, RECIPE), other);
});

test('files of workloads and our own schedulers name the image, and so does whether a file is a program', async (t) => {
  const { root } = await builtImage(t);
  const ids = [await imageId(root, RECIPE)];
  await write(join(root, 'workloads/driver.h'), '#define SHARED\n');
  ids.push(await imageId(root, RECIPE));
  await write(join(root, 'workloads/web/guest/conf/site.conf'), 'listen 80;\n');
  ids.push(await imageId(root, RECIPE));
  await chmod(join(root, 'workloads/web/guest/conf/site.conf'), 0o755);
  ids.push(await imageId(root, RECIPE));
  await write(join(root, 'bpf/policies/own/own.bpf.c'), 'int bpf;\n');
  ids.push(await imageId(root, RECIPE));
  t.is(new Set(ids).size, ids.length);
});

test('packages and crates name the image of a recipe that asks for all of them, and of no other', async (t) => {
  const { root } = await builtImage(t);
  await write(join(root, 'vm-images/recipes/all.yaml'), 'workloads: all\npolicies: all\n');
  const both = async () => [await imageId(root, RECIPE), await imageId(root, 'all')];
  const [tiny, first] = await both();
  await write(join(root, 'workloads/web/workload.yaml'), 'packages: [wrk]\n');
  const [, second] = await both();
  await write(join(root, 'bpf/policies/scx_a/policy.yaml'), 'crate: scx_a@1.0.0\n');
  const [, third] = await both();
  await write(join(root, 'bpf/policies/scx_a/policy.yaml'), 'crate: scx_a@1.0.1\n');
  const [same, fourth] = await both();
  t.is(new Set([first, second, third, fourth]).size, 4);
  t.is(same, tiny);
});

test('a missing part is named', async (t) => {
  const place = await builtImage(t);
  await rm(join(place.folder, 'qemu/bin/qemu-system-x86_64'));
  t.is(
    await refusalOf(t, place),
    `${place.folder}/qemu/bin/qemu-system-x86_64: this part of the image is missing. ${REBUILD}`,
  );
});

test('a truncated part is named with both sizes', async (t) => {
  const place = await builtImage(t);
  await truncate(join(place.folder, 'root.ext4'), 5);
  t.is(
    await refusalOf(t, place),
    `${place.folder}/root.ext4: this part of the image has 5 bytes, built were 16. ${REBUILD}`,
  );
});

test('a part with one flipped bit is named', async (t) => {
  const place = await builtImage(t);
  const path = join(place.folder, 'vmlinux');
  const bytes = await readFile(path);
  bytes[3] = (bytes[3] as number) ^ 1;
  await writeFile(path, bytes);
  t.is(
    await refusalOf(t, place),
    `${path}: this part of the image is corrupt: its SHA-256 is not the one that was built. ${REBUILD}`,
  );
});

test('a file that nobody built is named, and every fault is told at once', async (t) => {
  const place = await builtImage(t);
  await write(join(place.folder, 'qemu/lib/extra.so'), 'x');
  await rm(join(place.folder, 'vmlinux'));
  t.is(
    await refusalOf(t, place),
    `${place.folder}/vmlinux: this part of the image is missing. ${REBUILD}\n` +
      `${place.folder}/qemu/lib/extra.so: this file is not part of the image. ${REBUILD}`,
  );
});

for (const [name, text] of [
  ['cut off', '{"v":1,'],
  ['empty', ''],
  ['of another version', '{"v":2}'],
] as const) {
  test(`a manifest that is ${name} is refused by its path`, async (t) => {
    const place = await builtImage(t);
    await writeFile(join(place.folder, 'manifest.json'), text);
    t.is(
      await refusalOf(t, place),
      `${place.folder}/manifest.json: the manifest of the image is damaged. ${REBUILD}`,
    );
  });
}

test('an image under the name of another is refused', async (t) => {
  const place = await builtImage(t);
  const path = join(place.folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...manifest, id: 'tiny-0123456789abcdef' }));
  t.is(await refusalOf(t, place), `${path}: this is the image tiny-0123456789abcdef. ${REBUILD}`);
});

test('a manifest that lost a part which machines need is refused, also when the part is gone too', async (t) => {
  const place = await builtImage(t);
  const path = join(place.folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  delete manifest.files['slice.so'];
  await writeFile(path, JSON.stringify(manifest));
  await rm(join(place.folder, 'slice.so'));
  t.is(
    await refusalOf(t, place),
    `${place.folder}/slice.so: the manifest does not name this part of the image. ${REBUILD}`,
  );
});

test('a folder in the place of a part counts as a missing part', async (t) => {
  const place = await builtImage(t);
  await rm(join(place.folder, 'vmlinux'));
  await mkdir(join(place.folder, 'vmlinux'));
  t.is(await refusalOf(t, place), `${place.folder}/vmlinux: this part of the image is missing. ${REBUILD}`);
});

test('the digest of an image changes with any of its files and with nothing else', async (t) => {
  const place = await builtImage(t);
  const { manifest } = await requireImage(place.root, place.cache, RECIPE);
  const { vmlinux, ...rest } = manifest.files;
  t.truthy(vmlinux);
  t.is(imageDigest({ ...manifest, id: 'other' }), imageDigest(manifest));
  t.not(imageDigest({ ...manifest, files: rest }), imageDigest(manifest));
});

test('files of a folder are listed below every level, sorted', async (t) => {
  const { folder } = await builtImage(t);
  await cp(join(folder, 'qemu'), join(folder, 'a'), { recursive: true });
  t.deepEqual(await filesBelow(folder), [
    'a/bin/qemu-system-x86_64',
    'initrd.cpio',
    'manifest.json',
    'packages.json',
    'qemu/bin/qemu-system-x86_64',
    'root.ext4',
    'slice.so',
    'vmlinux',
  ]);
});
