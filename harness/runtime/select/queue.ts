// SPDX-License-Identifier: Apache-2.0
import { appendFile } from 'node:fs/promises';
import type { Machine } from '../../../analysis/policy-map/evidence.ts';
import { chord } from '../../../analysis/policy-map/vector.ts';
import type { Selection, UnknownRegime, Window } from '../contracts.ts';
import { Disk } from '../daemon/disk.ts';
import type { Clock } from '../sense/clock.ts';

/** Windows nearer to one that was queued than this teach nothing new. */
const NEW_FROM = 0.3;
/** As many vectors are remembered to compare with, and as many lines are written an hour at most. */
const REMEMBERED = 256;
const HOURLY = 60;

/** Windows that nothing known is near to, as JSON lines for `pmvx tune --queue`: each look once. */
export class UnknownQueue {
  readonly #path: string;
  readonly #machine: Machine;
  readonly #clock: Clock;
  readonly #disk: Disk;
  #vectors: Float32Array[] = [];
  #writtenNs: number[] = [];
  /** Why the last line could not be written. */
  fault: string | undefined;

  constructor(path: string, machine: Machine, clock: Clock, disk = new Disk()) {
    this.#path = path;
    this.#machine = machine;
    this.#clock = clock;
    this.#disk = disk;
  }

  /** True when the window is to be written, which waits for the disk, and nobody for that. */
  offer(window: Window, { neighbours, novel }: Selection, policy: string): boolean {
    const { vector, index, ms, counters, health } = window;
    if (!novel || vector === undefined) return false;
    const values = Float32Array.from(vector.values);
    if (this.#vectors.some((known) => chord(known, values) < NEW_FROM)) return false;
    const nowNs = this.#clock.nowNs();
    this.#writtenNs = this.#writtenNs.filter((atNs) => atNs > nowNs - 3600e9);
    if (this.#writtenNs.length >= HOURLY) return false;
    const [nearest] = neighbours;
    const line: UnknownRegime = {
      v: 1,
      at: this.#clock.stamp(),
      machine: { ...this.#machine },
      window: { index, ms, counters, vector, health },
      ...(nearest === undefined ? {} : { nearest: nearest.distance }),
      policy,
    };
    this.#disk
      .later(() => appendFile(this.#path, `${JSON.stringify(line)}\n`, { mode: 0o640 }))
      .then(
        () => {
          this.fault = undefined;
        },
        (error: Error) => {
          this.fault = `${this.#path}: windows that are new cannot be queued: ${error.message}`;
          this.#vectors = this.#vectors.filter((known) => known !== values);
        },
      );
    this.#vectors = [...this.#vectors, values].slice(-REMEMBERED);
    this.#writtenNs.push(nowNs);
    return true;
  }
}
