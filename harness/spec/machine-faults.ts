// SPDX-License-Identifier: Apache-2.0
import { shown } from '../core/zod-faults.ts';
import type { SpecFault } from './fault.ts';
import { isMap } from './is-map.ts';
import { memoryInMiB } from './memory.ts';
import { RawMachine } from './raw-spec.ts';
import { soundFields } from './sound.ts';
import { exactSpeed, nearestSpeeds } from './speed.ts';

/** What is wrong with a machine whose single values are well formed. */
export function machineFaults(raw: unknown): SpecFault[] {
  return isMap(raw) ? [...engineFaults(raw), ...topologyFaults(raw)] : [];
}

function engineFaults(given: Readonly<Record<string, unknown>>): SpecFault[] {
  const { engine, vcpus, speed } = soundFields(RawMachine, given);
  if (engine === 'tcg' || engine === 'kvm' || engine === 'native') {
    const meant: string[] = [];
    if (typeof given.speed === 'number') meant.push('speed');
    if (typeof given.quantum === 'number') meant.push('quantum');
    return meant.map((key) => ({
      path: ['machine', key],
      what: `machine.${key} has no meaning on ${engine}, got ${shown(given[key])}`,
      next: `Remove it, or set engine: exact.`,
    }));
  }
  if (typeof speed !== 'number' || vcpus === undefined || exactSpeed(speed, vcpus) !== undefined) return [];
  const near = nearestSpeeds(speed, vcpus).map(printedSpeed).join(' and ');
  const what = `machine.speed must be 1000 / 2^k / vcpus with k from 0 to 10, got ${shown(speed)} with ${vcpus} vcpus`;
  return [{ path: ['machine', 'speed'], what, next: `Nearest allowed: ${near}.` }];
}

function topologyFaults(given: Readonly<Record<string, unknown>>): SpecFault[] {
  if (given.topology === undefined) return [];
  const { vcpus, topology, memory } = soundFields(RawMachine, given);
  if (vcpus === undefined || topology === undefined) return [];
  const nodes = nodeFaults(topology, memory);
  const { sockets, threads, cores } = topology;
  const path = ['machine', 'topology'];
  const next = `Make sockets x cores x threads equal to vcpus.`;
  if (cores === undefined) {
    if (vcpus % (sockets * threads) === 0) return nodes;
    const what = `machine.topology must divide the ${vcpus} vcpus, got ${sockets} sockets x ${threads} threads`;
    return [{ path, what, next }];
  }
  const product = sockets * cores * threads;
  if (product === vcpus) return nodes;
  const what = `machine.topology must make ${vcpus} vcpus, got ${sockets} x ${cores} x ${threads} = ${product}`;
  return [{ path, what, next }];
}

/** Nodes are alike: each has the same number of sockets, and so of vCPUs, and the same memory. */
function nodeFaults(
  { nodes, sockets }: { readonly nodes: number; readonly sockets: number },
  memory: string | undefined,
): SpecFault[] {
  const path = ['machine', 'topology', 'nodes'];
  if (sockets % nodes !== 0) {
    const what = `machine.topology.nodes must divide the ${sockets} sockets, got ${nodes}`;
    return [{ path, what, next: 'A node is one socket or several, never a part of one.' }];
  }
  const mib = memory === undefined ? undefined : memoryInMiB(memory);
  if (mib === undefined || mib % nodes === 0) return [];
  const what = `machine.topology.nodes must divide the memory of ${mib} MiB, got ${nodes}`;
  return [{ path, what, next: 'Each node has the same memory, in whole MiB.' }];
}

function printedSpeed(speed: number): string {
  return String(Number(speed.toPrecision(6)));
}
