// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';
import type { Shell } from 'zx';

/** A script that runs inside a root. */
export interface RootScript {
  readonly root: string;
  /** Is `/build` inside; the script is one of its files and leaves its results in `out`. */
  readonly build: string;
  readonly script: string;
  readonly args: readonly string[];
}

/** Runs a script inside a root, with /dev, /proc and its build folder. */
export async function runInRoot($: Shell, { root, build, script, args }: RootScript): Promise<void> {
  const enter = await rootEntry();
  const how = enter.mounts ? 'mounts' : 'copies';
  await $`${enter.prefix} sh -euc ${ENTER} enter ${root} ${build} ${how} ${script} ${[...args]}`;
}

/*
 * $1 root, $2 build folder, $3 whether this process may mount, $4 the script, then its arguments. In a mount namespace of its
 * own the build folder, /dev and /proc are put into the root and vanish with the process. Where mounting is not allowed (an
 * ordinary container), the build folder is copied in and out, device nodes are made, and of /proc there is what objtool
 * asks where its stack is, for words about overflows. Names of hosts are found as on this machine.
 */
const ENTER = `
root=$1 build=$2 how=$3 script=$4
shift 4
mkdir -p "$root/etc"
rm -f "$root/etc/resolv.conf"
[ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
if [ "$how" = mounts ]; then
  mkdir -p "$root/build"
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc" || mount --rbind /proc "$root/proc"
  mount --bind "$build" "$root/build"
  exec chroot "$root" /bin/sh "/build/$script" "$@"
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
chroot "$root" /bin/sh "/build/$script" "$@"
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
