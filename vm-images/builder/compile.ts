// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { imageSources } from '../../harness/lab/image.ts';
import type { Recipe } from './recipe.ts';
import type { Workshop } from './workshop.ts';

/** Modules that the initramfs loads, in the guest's `/usr/lib/modules/<kernel>/kernel`. */
const PMEM_MODULES = ['libnvdimm', 'nd_virtio', 'virtio_pmem', 'nd_btt', 'nd_pmem'];

/** Compiles everything of ours and the schedulers inside the tools root; returns the folder of what came out. */
export async function compile(
  root: string,
  recipe: Recipe,
  roots: { readonly tools: string; readonly guest: string },
  shop: Workshop,
): Promise<string> {
  shop.say('compiling agent, idle module, slice plugin, workload drivers and schedulers');
  const build = join(shop.scratch, 'build');
  const input = join(build, 'in');
  await mkdir(join(input, 'modules'), { recursive: true });
  for (const path of imageSources(root)) {
    await mkdir(dirname(join(input, path)), { recursive: true });
    await cp(join(root, path), join(input, path), { recursive: true });
  }
  await cp(join(root, 'vm-images/builder/compile.sh'), join(build, 'compile.sh'));
  const wanted = PMEM_MODULES.map((name) => `*/kernel/drivers/nvdimm/${name}.ko.xz`);
  const enter = await rootEntry();
  await shop.step('compile', async ($) => {
    await $`tar -x -f ${roots.guest} -C ${join(input, 'modules')} --transform s,.*/,, --wildcards ${wanted}`;
    await $`${enter.prefix} sh -euc ${ENTER} enter ${roots.tools} ${build} ${enter.mounts ? 'mounts' : 'copies'} ${recipe.schedulers}`;
  });
  const output = join(build, 'out');
  await rm(join(build, 'scx'), { recursive: true, force: true });
  return output;
}

/*
 * $1 tools root, $2 build folder, $3 whether this process may mount, then the schedulers. In a mount namespace of its own
 * the build folder, /dev and /proc are put into the root and vanish with the process. Where mounting is not allowed (an
 * ordinary container), the build folder is copied in and out, device nodes are made, and of /proc there is what objtool
 * asks where its stack is, for words about overflows.
 */
const ENTER = `
root=$1 build=$2 how=$3
shift 3
if [ "$how" = mounts ]; then
  mkdir -p "$root/build"
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc" || mount --rbind /proc "$root/proc"
  mount --bind "$build" "$root/build"
  exec chroot "$root" /bin/sh /build/compile.sh "$@"
fi
leave() { rm -rf "$root/build" "$root/proc/self"; }
trap leave EXIT
leave
cp -r "$build" "$root/build"
mkdir -p "$root/proc/self"
cat /proc/self/maps >"$root/proc/self/maps"
node() { [ -c "$root/dev/$1" ] || mknod -m 666 "$root/dev/$1" c 1 "$2"; }
node null 3
node zero 5
node full 7
node random 8
node urandom 9
chroot "$root" /bin/sh /build/compile.sh "$@"
cp -r "$root/build/out" "$build/out"
`;

/** How to start a process that may chroot: with mounts of its own where the system allows it. */
async function rootEntry(): Promise<{ prefix: string[]; mounts: boolean }> {
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child=KILL'];
  const identities =
    process.getuid?.() === 0 ? [[], ['--user', '--map-root-user']] : [['--user', '--map-root-user']];
  for (const identity of identities) {
    const prefix = [...identity, ...namespaces];
    // Trying a mount as well: some containers allow the namespace and not the mount.
    const tried = await execa('unshare', [...prefix, 'mount', '--rbind', '/dev', '/dev'], { reject: false });
    if (!tried.failed) return { prefix: ['unshare', ...prefix], mounts: true };
  }
  return { prefix: [], mounts: false };
}
