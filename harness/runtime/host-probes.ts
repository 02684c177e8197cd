// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import {
  type BpfError,
  type BpfLink,
  BpfObject,
  type BpfProgram,
  possibleCpus,
} from '../../bpf/napi/index.js';
import { nameCounters, type ProbeSet, type ProbeTotals } from '../core/probe-counters.ts';
import { ProbeTurns, type Turn } from './probe-turns.ts';
import { ScaledReadings } from './scaled-readings.ts';

export interface HostProbesOptions {
  /** Folder with `<set>.bpf.o`: `probes` of an image, or where they were compiled. */
  readonly objects: string;
  /** Counts only what this process does, as far as an event has a process; everything when absent. */
  readonly tgid?: number;
  /** Counts events that come often for a part of the time only, so that probes cost that much less; all the time when absent. */
  readonly turn?: Turn;
}

/** Probes that count on this host, from `open` to `close`. */
export interface HostProbes {
  /**
   * All that was counted since `open`, by set. Counters only grow: a window is the difference of two readings (`windowCounters`). With
   * `turn` frequent events are scaled up from what was seen since the last reading; where that was nothing they are absent in this one, and
   * the next one catches up.
   */
  read(): { readonly [set in ProbeSet]?: ProbeTotals };
  /** Frequent events are not counted until `resume`, and the time until then is none of `ns`. What is counted at rare events, or copied, goes on. */
  pause(): void;
  /** @throws BpfError when a program cannot be attached again. */
  resume(): void;
  /** Detaches and unloads them. */
  close(): void;
}

/** What a kernel may lack, in the order in which a set is tried (bpf/probes/probe.h). */
const ATTEMPTS = [
  { sync: false, kept: false },
  { sync: true, kept: false },
  { sync: false, kept: true },
  { sync: true, kept: true },
];

/** Perf events of the hardware (include/uapi/linux/perf_event.h) by the map that holds them. */
const PERF_EVENTS = { perf_cycles: 0, perf_instructions: 1, perf_llc_references: 2, perf_llc_misses: 3 };
const ABSENT_HALF = 2 ** 32 - 1;
const FREQUENT = 'often_';

/**
 * Loads and attaches sets of probes. Needs root and a kernel with BTF.
 * @throws BpfError with the words of libbpf and the verifier, or why ebpf-napi is not there; nothing is left attached then.
 */
export function openHostProbes(sets: readonly ProbeSet[], options: HostProbesOptions): HostProbes {
  const opened: OpenSet[] = [];
  let turns: ProbeTurns | undefined;
  let links: readonly BpfLink[] = [];
  const close = () => {
    turns?.close();
    for (const { object } of opened) object.close();
  };
  try {
    for (const set of sets) opened.push({ set, object: openSet(set, options) });
  } catch (error) {
    close();
    throw error;
  }
  const frequent = opened.flatMap(frequentPrograms);
  const come = () => {
    links = frequent.map((program) => program.attach());
  };
  let began = process.hrtime.bigint();
  let paused: bigint | undefined;
  try {
    if (options.turn === undefined) come();
    else turns = new ProbeTurns(frequent, options.turn);
  } catch (error) {
    close();
    throw error;
  }
  const scales = new Map(opened.map(({ set }) => [set, new ScaledReadings(set)]));
  return {
    read: () => {
      const ns = Number((paused ?? process.hrtime.bigint()) - began);
      const countedNs = turns?.countedNs;
      if (paused === undefined) turns?.restart();
      return Object.fromEntries(
        opened.map(({ set, object }) => {
          const seen = { ns, ...readSet(set, object) };
          return [set, countedNs === undefined ? seen : scales.get(set)?.next(seen, countedNs)];
        }),
      );
    },
    pause: () => {
      paused ??= process.hrtime.bigint();
      turns?.close();
      for (const link of links) link.destroy();
      links = [];
    },
    resume: () => {
      if (paused === undefined) return;
      began += process.hrtime.bigint() - paused;
      paused = undefined;
      if (turns === undefined) come();
      else turns.restart();
    },
    close,
  };
}

interface OpenSet {
  readonly set: ProbeSet;
  readonly object: BpfObject;
}

/** Those that may come and go: see bpf/probes/probe.h. */
function frequentPrograms({ object }: OpenSet): BpfProgram[] {
  return object.programs.filter(({ name, autoload }) => autoload && name.startsWith(FREQUENT));
}

function openSet(set: ProbeSet, options: HostProbesOptions): BpfObject {
  let fault: unknown;
  for (const lacks of ATTEMPTS) {
    const object = BpfObject.open(join(options.objects, `${set}.bpf.o`));
    try {
      if (choosePrograms(object, lacks)) return startSet(object, options);
      object.close();
    } catch (error) {
      object.close();
      fault = error;
      // Another choice of programs helps only where the kernel refused one.
      if ((error as BpfError).code === 'ERR_EBPF_UNAVAILABLE') throw error;
    }
  }
  throw fault;
}

/** False when the object has none of the programs that it would do without. */
function choosePrograms(
  object: BpfObject,
  lacks: { readonly sync: boolean; readonly kept: boolean },
): boolean {
  let can = { sync: !lacks.sync, kept: !lacks.kept };
  for (const program of object.programs) {
    if (program.section.startsWith('fentry/')) {
      can = { ...can, sync: true };
      program.autoload = !lacks.sync;
    } else if (program.name === 'kept') {
      can = { ...can, kept: true };
      program.autoload = !lacks.kept;
    } else if (program.name.startsWith('instead_')) {
      program.autoload = lacks.kept;
    }
  }
  object.setGlobal('no_sync', lacks.sync).setGlobal('no_kept', lacks.kept);
  return can.sync && can.kept;
}

function startSet(object: BpfObject, { tgid }: HostProbesOptions): BpfObject {
  if (tgid !== undefined) object.setGlobal('only_tgid', tgid);
  object.load();
  for (const program of object.programs) {
    if (!program.autoload || program.section === 'raw_tp') continue;
    if (!program.name.startsWith(FREQUENT)) program.attach();
  }
  for (const map of object.maps) {
    const event = (PERF_EVENTS as Readonly<Record<string, number>>)[map.name];
    if (event !== undefined) map.fillPerfEvents(0, event);
  }
  return object;
}

function readSet(set: ProbeSet, object: BpfObject): Omit<ProbeTotals, 'ns'> {
  const loaded = object.programs.filter(({ autoload }) => autoload);
  const counters = object.map('counters');
  // What kernel and processor count anyway is copied by programs that run on each CPU that is online.
  for (const program of loaded.filter(({ section }) => section === 'raw_tp')) {
    for (let cpu = 0; cpu < possibleCpus(); cpu++) runOn(program, cpu);
  }
  return {
    missed: loaded.reduce((sum, program) => sum + program.info().recursionMisses, 0),
    counters: nameCounters(set, sumOf(counters.lookup(new Uint8Array(4)) as Uint8Array[])),
  };
}

/** A CPU that is possible and not online has nothing to copy. */
function runOn(program: { run(options: { readonly cpu: number }): number }, cpu: number): void {
  try {
    program.run({ cpu });
  } catch (error) {
    if ((error as BpfError).code !== 'ENXIO') throw error;
  }
}

/** 64-bit counters over CPUs; null where any does not have one. In halves: a daemon reads hundreds, each window, in code that is not yet compiled. */
function sumOf(cpus: readonly Uint8Array[]): (number | null)[] {
  const halves = cpus.map(
    ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length / 4),
  );
  const sums: (number | null)[] = [];
  for (let at = 0; at < (halves[0]?.length ?? 0); at += 2) {
    let sum: number | null = 0;
    for (const half of halves) {
      const low = half[at] as number;
      const high = half[at + 1] as number;
      if (low === ABSENT_HALF && high === ABSENT_HALF) sum = null;
      else if (sum !== null) sum += high * 2 ** 32 + low;
    }
    sums.push(sum);
  }
  return sums;
}
