// SPDX-License-Identifier: Apache-2.0
import type { EventQueue } from './event-queue.ts';

/** So many equal places, taken in the order of asking. */
export class Server {
  readonly #time: EventQueue;
  readonly #waiting: { readonly seconds: number; readonly ended: () => void }[] = [];
  #head = 0;
  #free: number;
  #busySeconds = 0;

  constructor(time: EventQueue, places: number) {
    this.#time = time;
    this.#free = places;
  }

  /** Seconds that places were taken, summed over places. */
  get busySeconds(): number {
    return this.#busySeconds;
  }

  /** Takes a place for `seconds` as soon as one is free. */
  serve(seconds: number, ended: () => void): void {
    this.#waiting.push({ seconds, ended });
    this.#next();
  }

  #next(): void {
    const next = this.#waiting[this.#head];
    if (next === undefined || this.#free === 0) return;
    this.#head++;
    this.#free--;
    this.#time.after(next.seconds, () => {
      this.#free++;
      this.#busySeconds += next.seconds;
      next.ended();
      this.#next();
    });
  }
}

/** A store whose bandwidth all who copy from it share evenly, none faster than its own link. Rates in MiB/s. */
export class SharedStore {
  readonly #time: EventQueue;
  readonly #rate: number;
  readonly #linkRate: number;
  readonly #copies = new Set<{ left: number; readonly ended: () => void }>();
  #since = 0;
  #version = 0;
  #busySeconds = 0;

  constructor(time: EventQueue, rate: number, linkRate: number) {
    this.#time = time;
    this.#rate = rate;
    this.#linkRate = linkRate;
  }

  /** Seconds in which anybody copied. */
  get busySeconds(): number {
    return this.#busySeconds;
  }

  copy(mib: number, ended: () => void): void {
    this.#advance();
    this.#copies.add({ left: mib, ended });
    this.#plan();
  }

  #each(): number {
    return Math.min(this.#linkRate, this.#rate / this.#copies.size);
  }

  #advance(): void {
    const passed = this.#time.now - this.#since;
    this.#since = this.#time.now;
    if (this.#copies.size === 0) return;
    this.#busySeconds += passed;
    const done = passed * this.#each();
    for (const copy of this.#copies) copy.left -= done;
  }

  #plan(): void {
    const version = ++this.#version;
    if (this.#copies.size === 0) return;
    const least = Math.min(...[...this.#copies].map(({ left }) => left));
    this.#time.after(Math.max(0, least) / this.#each(), () => {
      // Somebody has come or gone meanwhile: all rates are others.
      if (version !== this.#version) return;
      this.#advance();
      const ended = [...this.#copies].filter(({ left }) => left <= least * 1e-9 + 1e-9);
      for (const copy of ended) this.#copies.delete(copy);
      this.#plan();
      for (const copy of ended) copy.ended();
    });
  }
}
