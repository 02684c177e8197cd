// SPDX-License-Identifier: Apache-2.0

/** Where the image's root is mounted, inside the trial's folder; what happens there nobody outside sees. */
export const MOUNT_POINT = 'root';
/** Files for the run, in the trial's folder; they are in /run inside. */
export const PLACED = 'files';

/**
 * Root file system as a guest has it: the image's own, read-only, with memory behind /tmp and /run. The trial's folder is /mnt.
 * Mounts and loop device vanish with the last process of the namespace.
 */
const SETUP = `set -e
image=$1; shift
mount -o loop,ro,noatime -t ext4 "$image" ${MOUNT_POINT}
for place in tmp run; do mount -t tmpfs -o mode=1777 tmpfs ${MOUNT_POINT}/$place; done
[ ! -d ${PLACED} ] || cp ${PLACED}/* ${MOUNT_POINT}/run/
mount -t proc proc ${MOUNT_POINT}/proc
for place in dev sys; do mount --rbind /$place ${MOUNT_POINT}/$place; done
mount --bind "$PWD" ${MOUNT_POINT}/mnt
ulimit -S -n "$(ulimit -H -n)"
exec chroot ${MOUNT_POINT} /usr/bin/perl -e "$@"`;

/** What one trial runs on the host. */
export interface NativeRun {
  /** Path of the image's root file system. */
  readonly root: string;
  /** The CPUs that everything is pinned to. */
  readonly cpus: readonly number[];
  /** Text of launch.pl. */
  readonly launcher: string;
  readonly seed: number;
  readonly deadlineMs: number;
  readonly warmup: readonly string[];
  readonly run: readonly string[];
}

/**
 * The command of a trial, to be started in the trial's folder. First process of a PID namespace: when it ends, or is killed,
 * all that it started is gone.
 */
export function nativeCommand(given: NativeRun): readonly string[] {
  return [
    ...['taskset', '--cpu-list', given.cpus.join(',')],
    ...['unshare', '--mount', '--pid', '--ipc', '--fork', '--kill-child=KILL'],
    ...['sh', '-c', SETUP, 'sh', given.root, given.launcher],
    ...[given.seed, given.deadlineMs, given.warmup.length].map(String),
    ...given.warmup,
    ...given.run,
  ];
}
