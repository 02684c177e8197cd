// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type Disk, replaceFile } from '../daemon/disk.ts';
import { readStateFile } from '../daemon/state-file.ts';
import { restoreSettings, type SavedSetting } from './knob.ts';
import { startTicks } from './process.ts';

const Saved = z.object({ path: z.string(), before: z.string(), ours: z.string() });
const Left = z.object({
  settings: z.array(Saved).default([]),
  /** Set for the time of a switch alone. */
  passing: z.array(Saved).default([]),
  children: z.array(z.object({ pid: z.int(), ticks: z.string() })).default([]),
});
type Left = z.infer<typeof Left>;
const NOTHING: Left = { settings: [], passing: [], children: [] };

/**
 * What would stay behind if the daemon and its guardian were killed at once, kept on disk as long as it is there. Whoever must have it on the disk
 * before something is done waits for the promise; that something is gone is written when the disk takes it.
 */
export class Leftovers {
  readonly #path: string;
  readonly #disk: Disk;
  #left: Left;
  /** Why the file does not say what is there. */
  fault: string | undefined;

  private constructor(path: string, disk: Disk, left: Left) {
    this.#path = path;
    this.#disk = disk;
    this.#left = left;
  }

  /** Reads what an earlier daemon left. */
  static read(path: string, disk: Disk): Leftovers {
    const { data } = Left.safeParse(readStateFile(path));
    return new Leftovers(path, disk, data ?? NOTHING);
  }

  /** Restores settings and ends schedulers that an earlier daemon left; what was done, in words. Throws nothing. */
  clear(): { readonly done: readonly string[]; readonly faults: readonly string[] } {
    const { children } = this.#left;
    const settings = [...this.#left.settings, ...this.#left.passing];
    const done: string[] = [];
    const faults = restoreSettings(settings);
    if (settings.length > 0 && faults.length === 0)
      done.push(`restored ${settings.map(({ path, before }) => `${path} to ${before}`).join(', ')}`);
    for (const { pid, ticks } of children) {
      // The number alone may be another process's by now.
      if (startTicks(pid) !== ticks) continue;
      try {
        process.kill(pid, 'SIGKILL');
        done.push(`ended the scheduler process ${pid} of an earlier daemon`);
      } catch (error) {
        faults.push(
          `the scheduler process ${pid} of an earlier daemon cannot be ended: ${(error as Error).message}`,
        );
      }
    }
    if (faults.length === 0) this.#set(NOTHING).catch(() => undefined);
    return { done, faults };
  }

  saveSettings(settings: readonly SavedSetting[]): Promise<void> {
    return this.#set({ ...this.#left, settings: [...settings] });
  }

  savePassing(settings: readonly SavedSetting[]): Promise<void> {
    return this.#set({ ...this.#left, passing: [...settings] });
  }

  childStarted(pid: number): void {
    const ticks = startTicks(pid);
    if (ticks === undefined) return;
    this.#set({ ...this.#left, children: [...this.#left.children, { pid, ticks }] }).catch(() => undefined);
  }

  childEnded(pid: number): void {
    const children = this.#left.children.filter((child) => child.pid !== pid);
    this.#set({ ...this.#left, children }).catch(() => undefined);
  }

  /** Rejects when it could not be written, which `fault` then says, too. */
  async #set(left: Left): Promise<void> {
    if (JSON.stringify(left) === JSON.stringify(this.#left)) return;
    this.#left = left;
    try {
      await this.#disk.later(() => replaceFile(this.#path, left));
      this.fault = undefined;
    } catch (error) {
      this.fault = `${this.#path}: what would be left behind cannot be kept: ${(error as Error).message}`;
      throw error;
    }
  }
}
