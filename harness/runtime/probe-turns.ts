// SPDX-License-Identifier: Apache-2.0
import type { BpfLink, BpfProgram } from '../../bpf/napi/index.js';

/** For how many ms in each `everyMs` events that come often are counted. */
export interface Turn {
  readonly onMs: number;
  readonly everyMs: number;
}

/** Programs that come and go: in each period they are attached once, at a time that keeps to no beat of what is observed. */
export class ProbeTurns {
  readonly #programs: readonly BpfProgram[];
  readonly #turn: Turn;
  #links: BpfLink[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the present period began, and since when the programs are there, ms of {@link performance.now}. */
  #began = performance.now();
  #since: number | undefined;
  #countedMs = 0;
  #fault: unknown;

  /** Their first turn is within `everyMs`. Does not keep the process alive. */
  constructor(programs: readonly BpfProgram[], turn: Turn) {
    this.#programs = programs;
    this.#turn = turn;
    this.#wait(this.#begin());
  }

  /** For how long they were there until now, ns. Throws what kept them from coming. */
  get countedNs(): number {
    if (this.#fault !== undefined) throw this.#fault;
    const now = this.#since === undefined ? 0 : performance.now() - this.#since;
    return Math.round((this.#countedMs + now) * 1e6);
  }

  /** A new period begins now: who reads once in each period, and then says so, has one whole turn between two readings. */
  restart(): void {
    if (this.#fault !== undefined) return;
    clearTimeout(this.#timer);
    if (this.#since !== undefined) this.#go();
    this.#began = performance.now();
    this.#wait(this.#begin());
  }

  /** Away until `restart`, or for good. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#since !== undefined) this.#go();
  }

  #wait(until: number): void {
    this.#timer = setTimeout(() => this.#take(), Math.max(0, until - performance.now())).unref();
  }

  #take(): void {
    if (this.#since === undefined) {
      try {
        this.#come();
        this.#wait(performance.now() + this.#turn.onMs);
      } catch (error) {
        // Nobody called: whoever reads next is told.
        this.#fault = error;
        this.#detach();
      }
      return;
    }
    this.#go();
    // A turn that came late, because this process was busy, has used up the periods that it reached into.
    const { everyMs } = this.#turn;
    do this.#began += everyMs;
    while (this.#began < performance.now());
    this.#wait(this.#begin());
  }

  /** When their turn begins in the present period. */
  #begin(): number {
    return this.#began + Math.random() * (this.#turn.everyMs - this.#turn.onMs);
  }

  #come(): void {
    for (const program of this.#programs) this.#links.push(program.attach());
    this.#since = performance.now();
  }

  #go(): void {
    this.#countedMs += performance.now() - (this.#since as number);
    this.#since = undefined;
    this.#detach();
  }

  #detach(): void {
    for (const link of this.#links) link.destroy();
    this.#links = [];
  }
}
