// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import type { Machine } from '../../../analysis/policy-map/evidence.ts';

/** This machine as a policy map names machines. What sysfs does not tell is counted as one. */
export function thisMachine(given: Partial<Machine> = {}, sysfs = '/sys/devices/system'): Machine {
  const online = numbersIn(read(join(sysfs, 'cpu/online')) ?? '0');
  const topology = (cpu: number, name: string) => read(join(sysfs, `cpu/cpu${cpu}/topology/${name}`));
  const distinct = (of: (cpu: number) => string | undefined) =>
    new Set(online.map(of).filter((value) => value !== undefined)).size || 1;
  const sockets = distinct((cpu) => topology(cpu, 'physical_package_id'));
  const allCores = distinct((cpu) => topology(cpu, 'thread_siblings_list'));
  return {
    engine: 'native',
    kernel: release(),
    nodes: nodesIn(join(sysfs, 'node')),
    sockets,
    cores: Math.max(1, Math.round(allCores / sockets)),
    threads: Math.max(1, Math.round(online.length / allCores)),
    cpu: cpus()[0]?.model ?? 'unknown',
    ...given,
  };
}

/** CPUs that are online. */
export function onlineCpus(sysfs = '/sys/devices/system'): number {
  return numbersIn(read(join(sysfs, 'cpu/online')) ?? '0').length;
}

/** `0-2,5` as numbers. */
function numbersIn(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

function nodesIn(folder: string): number {
  try {
    return readdirSync(folder).filter((name) => /^node\d+$/.test(name)).length || 1;
  } catch {
    return 1;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
