// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { Guardian, type GuardianAnswer } from '../../../bpf/napi/index.js';
import type { Keeper, OpenLink, Ward } from './keeper.ts';
import { restoreSettings, type SavedSetting } from './knob.ts';

/** What the guardian did without having been asked. */
export type WentHome = Extract<GuardianAnswer, { kind: 'home' }>;

const POLL_MS = 1;
/** One that says nothing for so long, although it was asked, is ended: what it holds goes with it. */
const SILENT_MS = 1500;
const START_MS = 10_000;

/** The guardian of ebpf-napi as a keeper: its answers are waited for, and its end is no loss of anything that must end. */
export class GuardianKeeper implements Keeper {
  readonly #guardian: Guardian;
  /** Those that somebody waits for, once they are there. */
  readonly #answers = new Map<string, string | undefined>();
  readonly #awaited = new Set<string>();
  /** Drops that are asked for and not answered. */
  readonly #drops = new Map<number, Promise<string | undefined>>();
  readonly #homes: WentHome[] = [];
  #heardMs = performance.now();
  #askedMs: number | undefined = performance.now();
  #pid: number | undefined;
  #next = 1;
  #gone = false;
  /** How it runs, in its words. */
  how = '';

  private constructor(guardian: Guardian) {
    this.#guardian = guardian;
  }

  /** Starts one that watches for the kill file, too; throws when it cannot be started. */
  static async start(killFile: string, program?: string): Promise<GuardianKeeper> {
    const given = program === undefined ? {} : { program };
    const keeper = new GuardianKeeper(Guardian.start({ killFile, ...given }));
    await keeper.#until(() => keeper.#pid !== undefined);
    if (keeper.#gone) throw new Error('the guardian ended at its start');
    return keeper;
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  /** Whether it has ended; all that it held went with it. */
  get gone(): boolean {
    this.#hear();
    return this.#gone;
  }

  /** What it did without having been asked, once. */
  homes(): WentHome[] {
    this.#hear();
    return this.#homes.splice(0);
  }

  /** The loop is alive, and will be heard again within so many ms. */
  beat(withinMs: number): void {
    this.#hear();
    this.#ask(() => this.#guardian.beat(withinMs));
  }

  away(ms: number): void {
    this.beat(Math.ceil(ms));
  }

  /** Drops all, and holds nothing until `open`. */
  latch(): void {
    this.#ask(() => this.#guardian.latch());
  }

  /** Takes holds again after a kill switch; what it told of that until now is settled. */
  open(): void {
    this.#hear();
    const others = this.#homes.filter(({ cause }) => cause !== 'signal' && cause !== 'kill-file');
    this.#homes.splice(0, this.#homes.length, ...others);
    this.#ask(() => this.#guardian.open());
  }

  /** For the service manager (sd_notify(3)). */
  notify(text: string): void {
    this.#ask(() => this.#guardian.notify(text));
  }

  async holdLink(link: OpenLink): Promise<Ward> {
    const id = this.#next++;
    this.#ask(() => this.#guardian.holdDescriptor(id, link.descriptor));
    link.destroy();
    await this.#held(id, 'its link');
    return { drop: () => this.#drop(id, async () => undefined) };
  }

  async holdProcess(pid: number): Promise<Ward> {
    const id = this.#next++;
    this.#ask(() => this.#guardian.holdProcess(id, pid));
    await this.#held(id, `its process ${pid}`);
    // Whoever started it ends it, too.
    return { drop: () => this.#drop(id, async () => undefined) };
  }

  async holdSetting(setting: SavedSetting): Promise<Ward> {
    const { path, before, ours } = setting;
    const id = this.#next++;
    this.#ask(() => this.#guardian.holdSetting(id, path, before, ours));
    await this.#held(id, path);
    const restore = async () => {
      const [fault] = restoreSettings([setting]);
      if (fault !== undefined) throw new Error(fault);
    };
    return { drop: () => this.#drop(id, restore, path) };
  }

  /** All that it holds is dropped. */
  close(): void {
    this.#guardian.close();
    this.#gone = true;
  }

  async #held(id: number, what: string): Promise<void> {
    const code = await this.#answer('held', id);
    if (this.#gone) throw new Error(`the guardian has ended, and does not hold ${what}`);
    if (code === 'ECANCELED') throw new Error('the guardian holds nothing: the kill switch was latched');
    if (code !== undefined) throw new Error(`the guardian cannot hold ${what}: ${code}`);
  }

  async #drop(id: number, without: () => Promise<void>, what = 'it'): Promise<void> {
    const code = await (this.#drops.get(id) ?? this.#askDrop(id));
    if (this.#gone) return without();
    if (code !== undefined) throw new Error(`the guardian cannot drop ${what} yet: ${code}`);
  }

  /** The way home and what stands in line may ask at once: one answer is for both. */
  #askDrop(id: number): Promise<string | undefined> {
    if (!this.gone) this.#ask(() => this.#guardian.drop(id));
    const code = this.#answer('dropped', id).finally(() => this.#drops.delete(id));
    this.#drops.set(id, code);
    return code;
  }

  async #answer(kind: 'held' | 'dropped', id: number): Promise<string | undefined> {
    const key = `${kind} ${id}`;
    this.#awaited.add(key);
    await this.#until(() => this.#answers.has(key));
    this.#awaited.delete(key);
    const code = this.#answers.get(key);
    this.#answers.delete(key);
    return code;
  }

  /** Until something was heard, or there is nobody to hear. */
  async #until(heard: () => boolean): Promise<void> {
    for (;;) {
      this.#hear();
      if (heard() || this.#gone) return;
      await delay(POLL_MS);
    }
  }

  #ask(send: () => boolean): void {
    if (this.#gone) return;
    send();
    this.#askedMs ??= performance.now();
  }

  #hear(): void {
    if (this.#gone) return;
    for (let heard = this.#guardian.hear(); heard !== undefined; heard = this.#guardian.hear()) {
      if (heard.kind === 'gone') {
        this.#gone = true;
        return;
      }
      this.#heardMs = performance.now();
      this.#askedMs = undefined;
      this.#take(heard);
    }
    const nowMs = performance.now();
    const silentMs = this.#pid === undefined ? START_MS : SILENT_MS;
    if (this.#askedMs === undefined || nowMs - Math.max(this.#askedMs, this.#heardMs) < silentMs) return;
    this.#end();
  }

  #take(heard: GuardianAnswer): void {
    if (heard.kind === 'held' || heard.kind === 'dropped') {
      const key = `${heard.kind} ${heard.id}`;
      if (this.#awaited.has(key)) this.#answers.set(key, heard.code);
    }
    if (heard.kind === 'home') this.#homes.push(heard);
    if (heard.kind === 'ready') {
      this.#pid = heard.pid;
      this.how = heard.how;
    }
  }

  /** It is stopped or stuck: its descriptors are closed with it, so links do not stay. */
  #end(): void {
    try {
      if (this.#pid !== undefined) process.kill(this.#pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    this.close();
  }
}
