// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import { type ImageManifest, imageId } from '../../harness/lab/image.ts';
import { fileDigest, filesBelow, IMAGE_FILES } from '../../harness/lab/image-files.ts';
import { loader, qemuVersion } from '../../harness/lab/qemu-binary.ts';
import type { Recipe } from './recipe.ts';
import type { Workshop } from './workshop.ts';

const MIB = 2 ** 20;
/** Devices of persistent memory are mapped in steps of this size. */
const ALIGN = 128 * MIB;
/** Everything in the image bears this time, so that two builds from the same packages are alike. */
const EPOCH = '1767225600';
const FIRMWARE = ['qemu/pvh.bin', 'qemu/linuxboot_dma.bin', 'qemu/kvmvapic.bin', 'seabios/bios-256k.bin'];

/** Puts an image together in a folder of the workshop; the caller moves it into place. */
export async function assemble(
  root: string,
  recipe: { readonly name: string; readonly definition: Recipe },
  parts: {
    readonly tools: string;
    readonly guest: string;
    readonly compiled: string;
    readonly left: Readonly<Record<string, string>>;
  },
  shop: Workshop,
): Promise<string> {
  shop.say('assembling: QEMU, kernel, initramfs, root file system');
  const folder = join(shop.scratch, 'image');
  await mkdir(folder);
  await copyQemu(parts.tools, join(folder, IMAGE_FILES.qemu), shop);
  const version = await qemuVersion(folder);
  if (!version.startsWith(`${recipe.definition.qemu}.`)) {
    throw new PmvxError(ExitCode.image, {
      where: `image ${recipe.name}`,
      what: `the archive offers QEMU ${version}, and the exact engine is proven with ${recipe.definition.qemu} only`,
      next: 'Use a mirror that has the stable release',
    });
  }
  await copyFile(join(parts.compiled, 'slice.so'), join(folder, IMAGE_FILES.plugin));
  await copyFile(join(parts.compiled, 'initrd.cpio'), join(folder, IMAGE_FILES.initrd));
  // Absent from an image without schedulers: it is built with what they are built with.
  const recorder = join(parts.compiled, 'bin/record');
  if (existsSync(recorder)) await cp(recorder, join(folder, IMAGE_FILES.recorder));
  // Once more outside the guest: a host loads the same objects.
  await cp(join(parts.compiled, 'probes'), join(folder, IMAGE_FILES.probes), { recursive: true });
  const guestKernel = await extractKernel(parts.guest, join(folder, IMAGE_FILES.kernel), shop);
  const rootMiB = await makeRoot(parts, join(folder, IMAGE_FILES.root), shop);
  await writePackages(parts, join(folder, IMAGE_FILES.packages), shop);

  const files: ImageManifest['files'] = {};
  for (const name of await filesBelow(folder)) {
    const path = join(folder, name);
    files[name] = { size: (await stat(path)).size, sha256: await fileDigest(path) };
  }
  const id = await imageId(root, recipe.name);
  const manifest: ImageManifest = {
    v: 1,
    recipe: recipe.name,
    id,
    guestKernel,
    qemuVersion: version,
    rootMiB,
    left: parts.left,
    files,
  };
  await writeFile(join(folder, IMAGE_FILES.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
  return folder;
}

/** QEMU, the libraries that its loader names, and the firmware that the machines of the lab use. */
async function copyQemu(tools: string, to: string, shop: Workshop): Promise<void> {
  for (const part of ['bin', 'lib', 'share']) await mkdir(join(to, part), { recursive: true });
  const binary = join(tools, 'usr/bin/qemu-system-x86_64');
  const library = join(tools, 'usr/lib/x86_64-linux-gnu');
  await shop.step('QEMU', async ($) => {
    const listed = await $`${loader(tools)} --library-path ${library} --list ${binary}`;
    const libraries = listed.stdout
      .split('\n')
      .map((line) => /=> (\/\S+)/.exec(line)?.[1])
      .filter((path) => path !== undefined);
    for (const path of libraries) await cp(path, join(to, 'lib', basename(path)), { dereference: true });
  });
  await cp(loader(tools), join(to, 'lib', basename(loader(tools))), { dereference: true });
  await cp(binary, join(to, 'bin/qemu-system-x86_64'));
  for (const path of FIRMWARE) {
    await cp(join(tools, 'usr/share', path), join(to, 'share', basename(path)), { dereference: true });
  }
}

/** The uncompressed kernel out of Debian's bzImage: the guest need not unpack it at every boot. Returns its release. */
async function extractKernel(guest: string, to: string, shop: Workshop): Promise<string> {
  const boot = join(shop.scratch, 'boot');
  await mkdir(boot);
  let names: string[] = [];
  await shop.step('kernel', async ($) => {
    await $`tar -x -f ${guest} -C ${boot} --transform s,.*/,, --wildcards ${'./boot/vmlinuz-*'}`;
    names = await filesBelow(boot);
  });
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new PmvxError(ExitCode.image, {
      what: `the guest root holds ${names.length} kernels, wanted one`,
      next: 'Name one kernel package in the recipe',
    });
  }
  await writeFile(to, unpackKernel(await readFile(join(boot, name))));
  return name.replace('vmlinuz-', '');
}

/** The ELF file inside a zstd-compressed bzImage (Linux boot protocol 2.08: payload_offset, payload_length). */
export function unpackKernel(image: Buffer): Buffer {
  const setupSectors = image[0x1f1] || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  const length = image.readUInt32LE(0x24c);
  if (image.toString('latin1', 0x202, 0x206) !== 'HdrS' || image.readUInt32LE(start) !== 0xfd2fb528) {
    throw new PmvxError(ExitCode.image, {
      what: 'the kernel is no bzImage with a zstd payload',
      next: 'Use a Debian cloud kernel, or teach vm-images/builder/assemble.ts its compression',
    });
  }
  // The last four bytes of the payload are its unpacked size.
  return zstdDecompressSync(image.subarray(start, start + length - 4));
}

/** The guest's root with our files below /opt/pmvx, as ext4 without a journal, for DAX. Returns its size in MiB. */
async function makeRoot(
  parts: { readonly tools: string; readonly guest: string; readonly compiled: string },
  to: string,
  shop: Workshop,
): Promise<number> {
  const tree = join(shop.scratch, 'tree/opt/pmvx');
  await mkdir(tree, { recursive: true });
  for (const name of ['sched', 'bin', 'work', 'files', 'probes']) {
    if (!existsSync(join(parts.compiled, name))) continue;
    await cp(join(parts.compiled, name), join(tree, name), { recursive: true });
  }
  const archive = join(shop.scratch, 'root.tar');
  const content = (await stat(parts.guest)).size;
  const size = Math.ceil((content * 1.15 + 64 * MIB) / ALIGN) * ALIGN;
  const library = join(parts.tools, 'usr/lib/x86_64-linux-gnu');
  const uuid = '706d7678-0000-4000-8000-000000000001';
  await shop.step('root file system', async ($) => {
    await $`cp ${parts.guest} ${archive}`;
    await $`tar -C ${join(shop.scratch, 'tree')} -c -f ${join(shop.scratch, 'ours.tar')} --sort=name --owner=0 --group=0 --numeric-owner --mtime=@${EPOCH} ./opt`;
    await $`tar --concatenate -f ${archive} ${join(shop.scratch, 'ours.tar')}`;
    await $`truncate -s ${size} ${to}`;
    await $({
      env: {
        ...process.env,
        SOURCE_DATE_EPOCH: EPOCH,
        E2FSPROGS_FAKE_TIME: EPOCH,
        MKE2FS_CONFIG: '/dev/null',
      },
    })`${loader(parts.tools)} --library-path ${library} ${join(parts.tools, 'usr/sbin/mke2fs')} -q -b 4096 -I 256 -m 0 -O extent,filetype,sparse_super,large_file,huge_file,dir_index,ext_attr,64bit,flex_bg,dir_nlink,extra_isize -U ${uuid} -E hash_seed=${uuid},root_owner=0:0,lazy_itable_init=0 -d ${archive} ${to}`;
    await $`rm -f ${archive}`;
  });
  return size / MIB;
}

/** One lock of both roots: name, version, architecture and digest of every package. */
async function writePackages(
  parts: { readonly tools: string; readonly guest: string },
  to: string,
  shop: Workshop,
): Promise<void> {
  const place = 'usr/share/pmvx/packages.tsv';
  let guest = '';
  await shop.step('package lists', async ($) => {
    guest = (await $`tar -x -O -f ${parts.guest} ./${place}`).stdout;
  });
  const tools = await readFile(join(parts.tools, place), 'utf8');
  await writeFile(
    to,
    `${JSON.stringify({ guest: packageRows(guest), tools: packageRows(tools) }, null, 1)}\n`,
  );
}

function packageRows(tsv: string): Record<string, { version: string; architecture: string; sha256: string }> {
  const rows = tsv.trim().split('\n');
  return Object.fromEntries(
    rows.map((row) => {
      const [name = '', version = '', architecture = '', sha256 = ''] = row.split('\t');
      return [name, { version, architecture, sha256 }];
    }),
  );
}
