// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type BpfError, BpfObject, type BpfProgram, possibleCpus } from '../../bpf/napi/index.js';
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
const ABSENT = 2n ** 64n - 1n;
const FREQUENT = 'often_';

/**
 * Loads and attaches sets of probes. Needs root and a kernel with BTF.
 * @throws BpfError with the words of libbpf and the verifier, or why ebpf-napi is not there; nothing is left attached then.
 */
export function openHostProbes(sets: readonly ProbeSet[], options: HostProbesOptions): HostProbes {
  const opened: OpenSet[] = [];
  let turns: ProbeTurns | undefined;
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
  const began = process.hrtime.bigint();
  if (options.turn !== undefined) turns = new ProbeTurns(opened.flatMap(frequentPrograms), options.turn);
  const scales = new Map(opened.map(({ set }) => [set, new ScaledReadings(set)]));
  return {
    read: () => {
      const ns = Number(process.hrtime.bigint() - began);
      const countedNs = turns?.countedNs;
      return Object.fromEntries(
        opened.map(({ set, object }) => {
          const seen = { ns, ...readSet(set, object) };
          return [set, countedNs === undefined ? seen : scales.get(set)?.next(seen, countedNs)];
        }),
      );
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
      if (!choosePrograms(object, lacks)) continue;
      return startSet(object, options);
    } catch (error) {
      fault = error;
      // Another choice of programs helps only where the kernel refused one.
      if ((error as BpfError).code === 'ERR_EBPF_UNAVAILABLE') throw error;
      object.close();
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

function startSet(object: BpfObject, { tgid, turn }: HostProbesOptions): BpfObject {
  if (tgid !== undefined) object.setGlobal('only_tgid', tgid);
  object.load();
  for (const program of object.programs) {
    if (!program.autoload || program.section === 'raw_tp') continue;
    if (turn === undefined || !program.name.startsWith(FREQUENT)) program.attach();
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
  const read = () => counters.lookup(new Uint8Array(4)) as Uint8Array[];
  // What kernel and processor count anyway is copied by programs that run on each CPU that is online.
  for (const program of loaded.filter(({ section }) => section === 'raw_tp')) {
    for (let cpu = 0; cpu < possibleCpus(); cpu++) runOn(program, cpu);
  }
  const rows = read().map((bytes) => [
    ...new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8),
  ]);
  return {
    missed: loaded.reduce((sum, program) => sum + program.info().recursionMisses, 0),
    counters: nameCounters(
      set,
      (rows[0] ?? []).map((_, at) => sumOf(rows.map((row) => row[at] ?? ABSENT))),
    ),
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

/** Over CPUs; null where any does not have it. */
function sumOf(values: readonly bigint[]): number | null {
  return values.includes(ABSENT) ? null : Number(values.reduce((sum, value) => sum + value, 0n));
}
