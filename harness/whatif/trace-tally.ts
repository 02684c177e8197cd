// SPDX-License-Identifier: Apache-2.0
import { parseTraceLine } from './trace.ts';

/** A thread of the guest; 0 is the idle task of each vCPU. */
export interface Task {
  readonly tid: number;
  /** Absent for a thread that had not run since the fork point. */
  readonly comm?: string;
}

/** A context switch: who left a vCPU, and who came. */
export interface Switch {
  /** Virtual time since power-on. */
  readonly virtualNs: number;
  readonly vcpu: number;
  readonly from: Task;
  readonly to: Task;
}

/** What a trace adds up to. */
export interface TraceSummary {
  readonly switches: number;
  /** Switches on each vCPU, by its number. */
  readonly byVcpu: readonly number[];
  /** Commands that were switched to most often, without the idle tasks: name and count, most first. */
  readonly commands: readonly { readonly comm: string; readonly switches: number }[];
  /** How often a vCPU went idle. */
  readonly toIdle: number;
  /** Lines that are no switch. */
  readonly unreadable: number;
}

const MOST_OFTEN = 10;

/** Adds up a trace line by line, and knows the names of threads. */
export class TraceTally {
  readonly #byVcpu: number[] = [];
  readonly #commands = new Map<string, number>();
  readonly #names = new Map<number, string>();
  #switches = 0;
  #toIdle = 0;
  #unreadable = 0;

  /** Counts a line and says what it means. */
  add(line: string): Switch | undefined {
    const read = parseTraceLine(line);
    if (read === undefined) {
      this.#unreadable++;
      return undefined;
    }
    const { virtualNs, vcpu, from, to, comm } = read;
    this.#switches++;
    this.#byVcpu[vcpu] = (this.#byVcpu[vcpu] ?? 0) + 1;
    if (to === 0) this.#toIdle++;
    else {
      this.#commands.set(comm, (this.#commands.get(comm) ?? 0) + 1);
      this.#names.set(to, comm);
    }
    return { virtualNs, vcpu, from: this.#task(from), to: { tid: to, comm: to === 0 ? 'idle' : comm } };
  }

  /** Another that goes on from here. */
  copy(): TraceTally {
    const twin = new TraceTally();
    for (const [vcpu, count] of this.#byVcpu.entries()) twin.#byVcpu[vcpu] = count ?? 0;
    for (const entry of this.#commands) twin.#commands.set(...entry);
    for (const entry of this.#names) twin.#names.set(...entry);
    twin.#switches = this.#switches;
    twin.#toIdle = this.#toIdle;
    twin.#unreadable = this.#unreadable;
    return twin;
  }

  summary(): TraceSummary {
    const commands = [...this.#commands]
      .map(([comm, switches]) => ({ comm, switches }))
      .sort((a, b) => b.switches - a.switches || (a.comm < b.comm ? -1 : 1))
      .slice(0, MOST_OFTEN);
    return {
      switches: this.#switches,
      byVcpu: Array.from(this.#byVcpu, (count) => count ?? 0),
      commands,
      toIdle: this.#toIdle,
      unreadable: this.#unreadable,
    };
  }

  #task(tid: number): Task {
    if (tid === 0) return { tid, comm: 'idle' };
    const comm = this.#names.get(tid);
    return comm === undefined ? { tid } : { tid, comm };
  }
}
