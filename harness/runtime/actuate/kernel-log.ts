// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type KernelExit, kernelExits } from '../../core/scheduler-exit.ts';

/** What the kernel said since the last call, read from /dev/kmsg without waiting. */
export class KernelLog {
  #file: number | undefined;
  readonly #record = Buffer.alloc(8192);

  constructor(path = '/dev/kmsg') {
    try {
      this.#file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      this.#skip();
    } catch {
      // Without the log departures are told by sched_ext's state alone.
      this.#file = undefined;
    }
  }

  /** Departures of schedulers since the last call. */
  exits(): KernelExit[] {
    return kernelExits(this.#read().join('\n'));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #skip(): void {
    this.#read();
  }

  #read(): string[] {
    const lines: string[] = [];
    while (this.#file !== undefined) {
      try {
        const length = readSync(this.#file, this.#record, 0, this.#record.length, null);
        if (length === 0) break;
        // A record is its line, then ` KEY=value` lines.
        lines.push(this.#record.toString('utf8', 0, length).split('\n')[0] as string);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // Records were overwritten before they were read: the next call gets those after them.
        if (code === 'EPIPE') continue;
        break;
      }
    }
    return lines;
  }
}
