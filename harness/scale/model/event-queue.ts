// SPDX-License-Identifier: Apache-2.0

interface Event {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

/** Simulated time, s, and what is still to happen in it. Events of one instant happen in the order in which they were asked for. */
export class EventQueue {
  #now = 0;
  #asked = 0;
  readonly #heap: Event[] = [];

  get now(): number {
    return this.#now;
  }

  /** Has `act` happen `seconds` from now. Throws on a time that has passed or is no number. */
  after(seconds: number, act: () => void): void {
    if (!(seconds >= 0)) throw new Error(`an event cannot happen ${seconds} s from now`);
    this.#heap.push({ at: this.#now + seconds, order: this.#asked++, act });
    this.#up(this.#heap.length - 1);
  }

  /** Lets everything happen; gives the time of the last event. */
  run(): number {
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      this.#now = event.at;
      event.act();
    }
    return this.#now;
  }

  #pop(): Event | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    this.#heap[0] = last;
    this.#down(0);
    return first;
  }

  #up(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfEarlier(at, parent)) return;
      at = parent;
    }
  }

  #down(from: number): void {
    for (let at = from; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      if (left >= this.#heap.length) return;
      const least = right < this.#heap.length && this.#earlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(least, at)) return;
      at = least;
    }
  }

  #swapIfEarlier(a: number, b: number): boolean {
    if (!this.#earlier(a, b)) return false;
    [this.#heap[a], this.#heap[b]] = [this.#heap[b] as Event, this.#heap[a] as Event];
    return true;
  }

  #earlier(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a] as Event, this.#heap[b] as Event];
    return x.at === y.at ? x.order < y.order : x.at < y.at;
  }
}
