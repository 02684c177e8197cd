// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { readStateFile, writeStateFile } from '../daemon/state-file.ts';
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

/** What a daemon that is killed would leave behind, kept on disk as long as it is there. */
export class Leftovers {
  readonly #path: string;
  #left: Left;

  private constructor(path: string, left: Left) {
    this.#path = path;
    this.#left = left;
  }

  /** Reads what an earlier daemon left. */
  static read(path: string): Leftovers {
    const { data } = Left.safeParse(readStateFile(path));
    return new Leftovers(path, data ?? NOTHING);
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
    if (faults.length === 0) this.#set(NOTHING);
    return { done, faults };
  }

  saveSettings(settings: readonly SavedSetting[]): void {
    this.#set({ ...this.#left, settings: [...settings] });
  }

  savePassing(settings: readonly SavedSetting[]): void {
    this.#set({ ...this.#left, passing: [...settings] });
  }

  childStarted(pid: number): void {
    const ticks = startTicks(pid);
    if (ticks === undefined) return;
    this.#set({ ...this.#left, children: [...this.#left.children, { pid, ticks }] });
  }

  childEnded(pid: number): void {
    this.#set({ ...this.#left, children: this.#left.children.filter((child) => child.pid !== pid) });
  }

  #set(left: Left): void {
    if (JSON.stringify(left) === JSON.stringify(this.#left)) return;
    writeStateFile(this.#path, left);
    this.#left = left;
  }
}
