// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { isNamed } from '../../core/held-program.ts';
import type { KernelExit } from '../../core/scheduler-exit.ts';
import {
  type Actuator,
  type Departure,
  EEVDF,
  type KernelState,
  type PolicyKind,
  type SwitchReport,
} from '../contracts.ts';
import type { Clock } from '../sense/clock.ts';
import type { Held, Holder, Prepared } from './holder.ts';

export interface KernelActuatorOptions {
  readonly holders: ReadonlyMap<string, Holder>;
  readonly readState: () => KernelState;
  /** Departures that the kernel's log tells of since the last call. */
  readonly exits: () => readonly KernelExit[];
  readonly clock: Clock;
  /** How long a policy may take to be in effect, and to be gone, ms. */
  readonly deadlineMs: number;
  /** How long it may take to get ready, ms. */
  readonly prepareMs: number;
  /** Makes the kernel hurry while a scheduler is exchanged; what ends that is returned. */
  readonly hurry?: () => () => void;
}

const POLL_MS = 1;
/** How long the kernel's words on a departure are waited for once its state shows it. */
const LAST_WORDS_MS = 500;
const LOOK_MS = 10;
/** The reason when whoever held the scheduler let go of it, or ended. */
const BY_USER = /unregistered from user space/;

/** Brings policies into effect in the running kernel, one at a time, and believes nobody but the kernel. */
export class KernelActuator implements Actuator {
  readonly policies: ReadonlyMap<string, { readonly kind: PolicyKind; readonly version: string }>;
  readonly #options: KernelActuatorOptions;
  #held: { readonly policy: string; readonly held: Held } | undefined;
  #exits: KernelExit[] = [];
  /** When the last policy that was let go was last in effect. */
  #leftNs = 0;
  /** A departure that was seen and not told yet. */
  #gone: Departure | undefined;
  /** What has been asked to take effect, and is not seen to be yet. */
  #taking: Held | undefined;
  /** Grows each time that all was abandoned: what was begun before takes no effect. */
  #era = 0;
  #abandoned: { readonly era: number; readonly policy: string; readonly why: string } | undefined;

  constructor(options: KernelActuatorOptions) {
    this.#options = options;
    const known = [...options.holders].map(([id, { kind, version }]) => [id, { kind, version }] as const);
    this.policies = new Map<string, { readonly kind: PolicyKind; readonly version: string }>([
      [EEVDF, { kind: 'builtin', version: '' }],
      ...known,
    ]);
  }

  async current(): Promise<KernelState> {
    return this.#options.readState();
  }

  held(): string {
    return this.#held?.policy ?? EEVDF;
  }

  async stranger(): Promise<string | undefined> {
    const { state, ops } = this.#options.readState();
    if (state === 'absent' || state === 'disabled') return undefined;
    const ours = this.#held?.held.ops;
    if (ours !== undefined && isNamed(ours, ops)) return undefined;
    // Between being enabled and being named there is a moment.
    return ops ?? (state === 'enabled' ? 'a scheduler without a name' : undefined);
  }

  async departure(): Promise<Departure | undefined> {
    const gone = this.#gone;
    this.#gone = undefined;
    if (gone !== undefined) return gone;
    const current = this.#held;
    if (current === undefined) {
      this.#heard();
      return undefined;
    }
    const { policy, held } = current;
    // That it went is what was wanted.
    if (this.#abandoned?.policy === policy) return undefined;
    const { ops: wanted } = held;
    if (wanted === undefined) {
      const why = safely(() => held.ended());
      return why === undefined ? undefined : { policy, how: 'replaced', why };
    }
    for (let left = LAST_WORDS_MS / LOOK_MS; ; left--) {
      const own = safely(() => held.ended());
      const { state, ops } = this.#options.readState();
      const exit = this.#heard().findLast(({ ops: name }) => isNamed(wanted, name));
      if (this.#abandoned?.policy === policy) return undefined;
      if (state === 'enabled' && isNamed(wanted, ops) && own === undefined) return undefined;
      // Its state is told before its reason, and both before the end of the process that held it: only together they tell whose fault it is.
      const known = exit !== undefined && (own !== undefined || !BY_USER.test(exit.reason));
      if ((known && state !== 'disabling') || left <= 0) {
        const said = `the kernel says ${state}${ops === undefined ? '' : `, ${ops}`}`;
        return { policy, how: howOf(exit, own), why: plain(exit?.words ?? own ?? said) };
      }
      await delay(LOOK_MS);
    }
  }

  /** Departures that the kernel told of since this policy came into effect. */
  #heard(): readonly KernelExit[] {
    this.#exits = this.#held === undefined ? [] : this.#exits;
    this.#exits.push(...this.#options.exits());
    return this.#exits;
  }

  async abandon(why: string): Promise<void> {
    this.#era++;
    const taking = this.#taking;
    const current = this.#held;
    if (current !== undefined) this.#abandoned = { era: this.#era, policy: current.policy, why };
    // What cannot be let go yet is tried again by whoever comes after.
    await Promise.allSettled([taking?.release(), current?.held.release()]);
  }

  /** The guardian has dropped all: what was held is a departure, and what was to take effect does not. */
  dropped(why: string): void {
    this.#era++;
    if (this.#held !== undefined) this.#gone ??= { policy: this.#held.policy, how: 'dropped', why };
  }

  async switchTo(to: string, signal?: AbortSignal): Promise<SwitchReport> {
    const { clock, prepareMs } = this.#options;
    const from = this.held();
    const era = this.#era;
    if (to === from) return { from, to, gapNs: 0, preparedNs: 0, outcome: 'active', proof: this.#proof() };
    const limits = [AbortSignal.timeout(prepareMs), ...(signal === undefined ? [] : [signal])];
    const beganNs = clock.nowNs();
    let readyNs = beganNs;
    let stage: 'preparing' | 'leaving' | 'taking' = 'preparing';
    let prepared: Prepared | undefined;
    let calm: (() => void) | undefined;
    const report = (rest: Rest): SwitchReport => {
      // From when the old one was last in effect; where EEVDF is one of the two there is no gap, for EEVDF is what fills gaps.
      const gapNs =
        from === EEVDF || to === EEVDF || stage === 'preparing' ? 0 : clock.nowNs() - this.#leftNs;
      return { from, to, gapNs, preparedNs: readyNs - beganNs, ...rest };
    };
    const refused = (why: string, blamed: boolean) =>
      report({ outcome: 'refused', why, now: this.held(), blamed });
    try {
      prepared = to === EEVDF ? undefined : await this.#holder(to).prepare(AbortSignal.any(limits));
      const obstacle = prepared && (await this.#obstacle(era, signal));
      readyNs = clock.nowNs();
      if (obstacle !== undefined) {
        await prepared?.discard();
        return refused(obstacle, false);
      }
      calm = this.#options.hurry?.();
      readyNs = clock.nowNs();
      stage = 'leaving';
      await this.release();
      stage = 'taking';
      const proof = prepared === undefined ? this.#proof() : await this.#take(to, prepared, era);
      return report({ outcome: 'active', proof });
    } catch (error) {
      await prepared?.discard().catch(() => undefined);
      if (signal?.aborted && stage === 'preparing') return refused(wordsOf(signal.reason), false);
      if (to !== EEVDF && era !== this.#era) return refused(wordsOf(error), false);
      // Where the old one could not be let go, the new one was not tried.
      return refused(wordsOf(error), stage !== 'leaving');
    } finally {
      calm?.();
    }
  }

  /** What has happened while a policy was made ready, so that it is not to take effect now. */
  async #obstacle(era: number, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (signal?.aborted) return wordsOf(signal.reason);
    if (era !== this.#era) return 'all was abandoned meanwhile';
    this.#gone ??= await this.departure();
    if (this.#gone !== undefined) return `${this.#gone.policy} ${this.#gone.how} meanwhile`;
    const stranger = await this.stranger();
    return stranger === undefined ? undefined : `${stranger} was loaded by somebody else`;
  }

  async release(): Promise<void> {
    const current = this.#held;
    if (current === undefined) return;
    const { clock } = this.#options;
    this.#leftNs = clock.nowNs();
    await current.held.release();
    const { ops } = current.held;
    const still =
      ops === undefined
        ? undefined
        : await this.#wait(({ state, ops: now }) => {
            const there = now !== undefined && isNamed(ops, now);
            // As long as it is seen in effect nobody goes without.
            if (there && state === 'enabled') this.#leftNs = clock.nowNs();
            return state === 'disabled' || (now !== undefined && !there);
          });
    if (still !== undefined)
      throw new Error(`${current.policy} was let go, and the kernel still says ${still}`);
    this.#held = undefined;
    this.#abandoned = undefined;
    if (this.#gone?.how === 'dropped') this.#gone = undefined;
  }

  async #take(to: string, prepared: Prepared, era: number): Promise<string> {
    const abandoned = () => (era === this.#era ? undefined : 'all was abandoned meanwhile');
    const before = this.#options.readState();
    let end = abandoned();
    if (end !== undefined) throw new Error(end);
    const held = await prepared.take();
    this.#taking = held;
    const { ops } = held;
    const state =
      ops === undefined
        ? undefined
        : await this.#wait((now) => {
            end = abandoned() ?? safely(() => held.ended());
            return end !== undefined || (isEnabledSince(before, now) && isNamed(ops, now.ops));
          });
    end ??= abandoned();
    this.#taking = undefined;
    if (state !== undefined || end !== undefined) {
      // What cannot be let go is still held, and let go by whoever goes home next.
      await held.release().catch(() => {
        this.#held = { policy: to, held };
      });
      throw new Error(end ?? `not enabled after ${this.#options.deadlineMs} ms: the kernel says ${state}`);
    }
    // What was said of one before it is not about this one.
    this.#options.exits();
    this.#exits = [];
    this.#held = { policy: to, held };
    return this.#proof();
  }

  /** Undefined when the kernel's state came to be as wanted; else what it says at the deadline. */
  async #wait(wanted: (state: KernelState) => boolean): Promise<string | undefined> {
    const { clock, deadlineMs, readState } = this.#options;
    const untilNs = clock.nowNs() + deadlineMs * 1e6;
    for (;;) {
      const state = readState();
      if (wanted(state)) return undefined;
      if (clock.nowNs() > untilNs) return `${state.state}${state.ops === undefined ? '' : `, ${state.ops}`}`;
      await delay(POLL_MS);
    }
  }

  #holder(policy: string): Holder {
    const holder = this.#options.holders.get(policy);
    if (holder === undefined) throw new Error(`${policy} cannot be used here`);
    return holder;
  }

  /** What is in effect, in the kernel's words. */
  #proof(): string {
    const { state, ops, enableSeq } = this.#options.readState();
    const kernel = `sched_ext ${state}${ops === undefined ? '' : `, ops ${ops}`}${enableSeq === undefined ? '' : `, enable_seq ${enableSeq}`}`;
    return this.#held === undefined ? kernel : `${kernel}; ${this.#held.held.proof()}`;
  }
}

type Rest =
  | { readonly outcome: 'active'; readonly proof: string }
  | { readonly outcome: 'refused'; readonly why: string; readonly now: string; readonly blamed: boolean };

/** Enabled, and not since before: the kernel counts a scheduler a moment after it calls it enabled. */
function isEnabledSince(before: KernelState, now: KernelState): boolean {
  return now.state === 'enabled' && (before.enableSeq === undefined || now.enableSeq !== before.enableSeq);
}

/** Why a scheduler is not there any more: the kernel's log knows best, then the scheduler itself, then its process. */
function howOf(exit: KernelExit | undefined, own: string | undefined): Departure['how'] {
  const words = exit?.reason ?? own ?? '';
  if (/sysrq/i.test(words)) return 'sysrq';
  if (/stall/.test(words)) return 'stalled';
  const ended = own !== undefined && /^(exited|was killed|cannot)/.test(own);
  if (BY_USER.test(words)) return ended ? 'died' : 'replaced';
  if (exit !== undefined) return 'ejected';
  return ended ? 'died' : 'ejected';
}

/** Without what stands before each line of the kernel's log: level, number, time. */
function plain(words: string): string {
  return words.replace(/^\d+,\d+,\d+,[^;]*;/gm, '').slice(0, 600);
}

function safely(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch (error) {
    return wordsOf(error);
  }
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 2000);
}
