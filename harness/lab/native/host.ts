// SPDX-License-Identifier: Apache-2.0
import { access, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import type { SchedExtState } from '../../core/trial.ts';

/** The first Linux whose built-in policy is EEVDF. */
const EEVDF_SINCE = [6, 6] as const;

/** What the native engine must know of the host. */
export interface NativeHost {
  /** Numbers of the CPUs that this process may use, ascending. */
  cpus(): Promise<readonly number[]>;
  isRoot(): boolean;
  /** `6.18.4-cloud-amd64`. */
  kernel(): string;
}

export const thisHost: NativeHost = {
  async cpus() {
    const status = await readFile('/proc/self/status', 'utf8');
    return cpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '');
  },
  isRoot: () => process.getuid?.() === 0,
  kernel: release,
};

/** Why `vcpus` CPUs of a host cannot stand for a machine; undefined when they can. */
export async function nativeObstacle(vcpus: number, host: NativeHost): Promise<string | undefined> {
  if (!host.isRoot()) return "needs root: the image's file system is mounted on this host";
  const [major = 0, minor = 0] = host.kernel().split('.').map(Number.parseFloat);
  if (major < EEVDF_SINCE[0] || (major === EEVDF_SINCE[0] && minor < EEVDF_SINCE[1])) {
    return `the host's kernel ${host.kernel()} is older than ${EEVDF_SINCE.join('.')}: its built-in policy is not EEVDF`;
  }
  const { length } = await host.cpus();
  if (length >= vcpus) return undefined;
  return `${vcpus} CPUs are asked for, and ${length} of this host may be used`;
}

/** `0-2,5` as numbers, ascending. */
export function cpuList(text: string): number[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, at) => first + at);
    });
}

/**
 * What the host's kernel says about sched_ext. A kernel that was built without it has no such folder, and no
 * such scheduler: `disabled`. Without /sys/kernel nothing is known, and nothing is said.
 */
export async function hostSchedExt(sysKernel = '/sys/kernel'): Promise<SchedExtState> {
  const folder = join(sysKernel, 'sched_ext');
  const there = async (path: string) => access(path).then(...YES_NO);
  if (!(await there(folder))) return (await there(sysKernel)) ? { state: 'disabled' } : {};
  const state: Record<string, string> = {};
  for (const [key, name] of Object.entries(STATE_FILES)) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    if (text.trim() !== '') state[key] = text.trim();
  }
  return state;
}

const YES_NO = [() => true, () => false] as const;
const STATE_FILES = {
  state: 'state',
  ops: 'root/ops',
  enableSeq: 'enable_seq',
  nrRejected: 'nr_rejected',
  switchAll: 'switch_all',
} as const satisfies Record<Exclude<keyof SchedExtState, 'knobs'>, string>;
