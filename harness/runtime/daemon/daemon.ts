// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Action,
  type Actuator,
  EEVDF,
  type Event,
  type GuardRule,
  type JournalLine,
  type Selection,
  type Selector,
  type Sensor,
  type SwitchReport,
  type Window,
} from '../contracts.ts';
import type { GuardConfig } from '../guard/config.ts';
import { quarantinedNow } from '../guard/quarantine.ts';
import type { GuardState } from '../guard/state.ts';
import { type GuardContext, type GuardInput, step, subjectOf, type Verdict } from '../guard/step.ts';
import type { Journal } from '../journal/journal.ts';
import type { UnknownQueue } from '../select/queue.ts';
import type { Clock } from '../sense/clock.ts';
import type { Latch } from './latch.ts';

export interface DaemonParts {
  readonly sensor: Sensor;
  readonly selector: Selector;
  readonly actuator: Actuator;
  readonly journal: Journal;
  readonly latch: Latch;
  readonly clock: Clock;
  readonly queue?: UnknownQueue | undefined;
  readonly guard: GuardConfig;
  /** Release of the running kernel: quarantine is about one. */
  readonly kernel: string;
  readonly cpus: number;
  readonly dry: boolean;
  /** State of an earlier daemon. */
  readonly recalled: GuardState;
  /** Keeps the guard's state for the next daemon; what it throws is a fault, and no reason to stop. Not waited for. */
  readonly keep: (state: GuardState) => unknown;
  /** What else holds to the kill switch: told before its file is made, and when it is opened again. */
  readonly onLatch?: (closed: boolean) => void;
  /** Hears what the guardian did meanwhile, before the kernel is looked at and before anything is decided. */
  readonly listen?: () => void;
  /** How long the map may take to answer, ms. */
  readonly selectMs?: number;
  /** Told of each line of the journal. */
  readonly saw?: (line: JournalLine) => void;
}

/** A window that named another policy takes so many more that do not before a sensor may rest: the next one may name it again. */
const DOUBT = 2;

/** How often the kernel is asked between windows whether the policy is still there, ms. */
const CHECK_MS = 500;
/** How long the map may take when nobody says, ms. */
const SELECT_MS = 2000;

/**
 * The closed loop: each window is sensed, the map asked, the guard decides, the kernel is told, and all of it recorded. Everything that
 * changes something goes through `serial`, one after the other; but the way home passes all of it (`goHome`), and neither the map nor the disk is ever
 * waited for by what stands in line.
 */
export class Daemon {
  readonly #parts: DaemonParts;
  #state: GuardState;
  #last: { readonly window: Window; readonly selection: Selection } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #keepFault: string | undefined;
  #stopping = false;
  /** See `Calm.windows`. */
  #calm = 0;
  #preparing: AbortController | undefined;
  /** Grows with each way home that passes the line: a switch that was decided before is not made. */
  #homeward = 0;
  #checking = false;
  /** When the loop last came round, ns. */
  #turnedNs: number;
  /** A map that owes an answer, and since when, ns. */
  #asked: { readonly selector: Selector; readonly sinceNs: number } | undefined;
  selector: Selector;
  guard: GuardConfig;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#state = parts.recalled;
    this.selector = parts.selector;
    this.guard = parts.guard;
    this.#turnedNs = parts.clock.nowNs();
  }

  get state(): GuardState {
    return this.#state;
  }

  get last(): { readonly window: Window; readonly selection: Selection } | undefined {
    return this.#last;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  get keepFault(): string | undefined {
    return this.#keepFault;
  }

  /** For how long nothing that the loop does in turn has come to its end, ms: a window, or a look at the kernel. */
  get stuckMs(): number {
    return (this.#now() - this.#turnedNs) / 1e6;
  }

  /** Works until the signal; then lets go of the policy, and says so. */
  async run(signal: AbortSignal): Promise<void> {
    const { sensor, journal } = this.#parts;
    signal.addEventListener('abort', () => void this.goHome('the daemon ends'), { once: true });
    const checking = setInterval(() => this.#look(), CHECK_MS);
    try {
      await this.serial(() => this.#check());
      while (!signal.aborted) {
        const window = await sensor.next(signal, () => ({ policy: this.#state.policy, windows: this.#calm }));
        await this.serial(() => this.#check());
        const selection = await this.#select(window, signal);
        await this.serial(() => this.#onWindow(window, selection));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearInterval(checking);
      this.#stopping = true;
      await this.goHome('the daemon ends');
      await this.serial(() => this.#stop());
      await journal.sync();
    }
  }

  /** Runs when all that was asked before is done; a failure is the caller's, and holds nobody up. */
  serial<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** Ends the preparation of a policy that is not in effect yet: something more urgent is to be done. */
  hurry(why: string): void {
    this.#preparing?.abort(new Error(why));
  }

  /**
   * EEVDF at once, past whatever is under way or stands in line; no disk and no map is waited for. What the guard makes of it, and the records, are the
   * caller's to have made afterwards, in line.
   */
  async goHome(why: string): Promise<void> {
    this.#homeward++;
    this.hurry(why);
    await this.#parts.actuator.abandon?.(why);
  }

  /** The kill switch, from wherever it comes: `goHome`, then `kill` in line. */
  async killNow(why: string): Promise<JournalLine> {
    // Whatever stands in line must know it, too.
    this.#state = { ...this.#state, killed: this.#state.killed ?? why };
    this.#parts.onLatch?.(true);
    const home = this.goHome('the kill switch was latched');
    const line = this.serial(() => this.kill(why));
    await home;
    return line;
  }

  /** What the guard would say, without doing it. */
  ask(input: GuardInput): Verdict {
    return step(this.#state, input, this.#context());
  }

  /** Latches: EEVDF until `resume`. Only within `serial`. */
  async kill(why: string): Promise<JournalLine> {
    this.#latch(why);
    return this.decide({ kind: 'kill', why, nowNs: this.#now() }, 'killed', `latched: ${why}`);
  }

  async resume(): Promise<JournalLine> {
    await this.#parts.latch.clear();
    this.#parts.onLatch?.(false);
    return this.decide({ kind: 'resume', nowNs: this.#now() }, 'resumed', 'the latch was opened');
  }

  /** Has the guard decide about something that is no window, does it, and records it as an event. Only within `serial`. */
  async decide(input: GuardInput, event: Event['event'], what: string): Promise<JournalLine> {
    this.#parts.listen?.();
    this.#calm = 0;
    const from = this.#state.policy;
    const verdict = this.ask(input);
    const answer = await this.#act(verdict);
    const { action, rule, because } = verdict;
    return this.#write({
      kind: 'event',
      event,
      what,
      rule,
      because,
      action,
      from,
      to: this.#state.policy,
      ...(answer === undefined ? {} : { answer }),
      dry: this.#parts.dry,
    });
  }

  note(event: Event['event'], what: string): JournalLine {
    return this.#write({ kind: 'event', event, what });
  }

  /** What the map says, within its time; whatever it does instead is an answer, too. */
  async #select(window: Window, signal: AbortSignal): Promise<Selection> {
    const { selectMs = SELECT_MS } = this.#parts;
    const { selector } = this;
    if (this.#asked?.selector === selector) {
      const seconds = ((this.#now() - this.#asked.sinceNs) / 1e9).toFixed(0);
      return silentMap(`the map has owed an answer for ${seconds} s`);
    }
    const question = { selector, sinceNs: this.#now() };
    this.#asked = question;
    const answered = selector
      .select(window, { policy: this.#state.policy, excluded: this.#quarantined() })
      .catch((error: Error) => silentMap(error.message))
      .finally(() => {
        if (this.#asked === question) this.#asked = undefined;
      });
    const late = new AbortController();
    const either = AbortSignal.any([signal, late.signal]);
    const silence = delay(selectMs, silentMap(`the map gave no answer within ${selectMs} ms`), {
      signal: either,
    });
    try {
      return await Promise.race([answered, silence]);
    } finally {
      late.abort();
      signal.throwIfAborted();
    }
  }

  async #onWindow(window: Window, selection: Selection): Promise<void> {
    const { clock, journal, dry, queue } = this.#parts;
    this.#turnedNs = this.#now();
    const from = this.#state.policy;
    const { health, rested } = window;
    const canLog = journal.fault === undefined;
    const verdict = this.ask({
      kind: 'window',
      nowNs: this.#now(),
      seen: { health, vector: window.vector?.values },
      selection,
      canLog,
    });
    const decidedMs = (clock.nowNs() - window.beganNs) / 1e6 - window.ms;
    const answer = await this.#act(verdict, selection.interval);
    const { action, rule, because } = verdict;
    this.#calm = calmAfter(rested?.changed ? 0 : this.#calm, verdict, this.guard.harm);
    this.#write({
      kind: 'decision',
      window: {
        index: window.index,
        ms: rounded(window.ms),
        ...(rested === undefined ? {} : { rested: { ...rested, ms: rounded(rested.ms) } }),
        health,
      },
      ...(window.vector === undefined ? {} : { vector: briefly(window.vector) }),
      ...(window.unknown === undefined ? {} : { unknown: window.unknown }),
      selection,
      rule,
      because,
      action,
      from,
      to: this.#state.policy,
      ...(answer === undefined ? {} : { answer }),
      dry,
      decidedMs: rounded(decidedMs),
    });
    this.#last = { window, selection };
    queue?.offer(window, selection, from);
  }

  /** Between windows: the latch passes the line, the rest is looked at in turn. */
  #look(): void {
    const latched = this.#state.killed === undefined ? this.#parts.latch.read() : undefined;
    if (latched !== undefined) this.killNow(latched).catch(() => undefined);
    if (this.#checking) return;
    this.#checking = true;
    this.serial(() => this.#check()).then(
      () => {
        this.#checking = false;
      },
      (error: Error) => {
        this.#checking = false;
        this.note('fault', `the kernel could not be looked at: ${error.message}`);
      },
    );
  }

  /** Looks at what may happen at any time: the latch, a policy that went, somebody else's scheduler. */
  async #check(): Promise<void> {
    const { latch, actuator, listen } = this.#parts;
    listen?.();
    const nowNs = this.#now();
    const latched = latch.read();
    if (latched !== undefined && this.#state.killed === undefined)
      await this.decide({ kind: 'kill', why: latched, nowNs }, 'killed', `latched: ${latched}`);
    else if (this.#state.leaving !== undefined && this.#state.policy !== EEVDF) {
      const { policy, leaving } = this.#state;
      await this.decide(
        { kind: 'again', nowNs },
        'switched',
        `${policy} is still in effect: ${leaving.because}`,
      );
    }
    const departure = await actuator.departure();
    if (departure !== undefined) {
      const { policy, how, why } = departure;
      if (how === 'sysrq') this.#latch(why);
      await this.decide({ kind: 'departed', departure, nowNs }, 'departed', `${policy} ${how}: ${why}`);
    }
    const ops = await actuator.stranger();
    this.#turnedNs = this.#now();
    const { aside } = this.#state;
    if (ops === aside) return;
    const input = { kind: 'stranger', ops, nowNs: this.#now() } as const;
    if (ops === undefined) await this.decide(input, 'back', `${aside} is gone`);
    else await this.decide(input, 'stepped-aside', `${ops} was loaded by somebody else`);
  }

  /** Does what a verdict says; undefined when there was nothing to do. What cannot be recorded is done only on the way home. */
  async #act(verdict: Verdict, interval?: Selection['interval']): Promise<SwitchReport | undefined> {
    const { action, rule } = verdict;
    const before = this.#state;
    this.#state = verdict.state;
    if (action.kind === 'stay') {
      if (verdict.state.quarantine !== before.quarantine) this.#keep();
      return undefined;
    }
    const report = await this.#switch(action, rule);
    const input = {
      kind: 'report',
      report,
      cause: rule,
      costNs: this.#costOf(report),
      nowNs: this.#now(),
    } as const;
    this.#state = this.ask({ ...input, ...(interval === undefined ? {} : { interval }) }).state;
    this.#keep();
    return report;
  }

  async #switch(action: Exclude<Action, { kind: 'stay' }>, rule: GuardRule): Promise<SwitchReport> {
    const { actuator, journal } = this.#parts;
    const { to } = action;
    const from = this.#state.policy;
    const homeward = this.#homeward;
    const undone = (why: string): SwitchReport => {
      return { from, to, gapNs: 0, preparedNs: 0, outcome: 'refused', why, now: from, blamed: false };
    };
    this.#write({ kind: 'intent', from, to, rule });
    // The way home waits for no disk: its record follows.
    if (action.kind === 'switch') {
      if (!(await journal.sync())) return undone('the intent cannot be recorded, so it was not done');
      if (homeward !== this.#homeward) return undone('something more urgent came before it');
    }
    const preparing = new AbortController();
    this.#preparing = preparing;
    try {
      return await actuator.switchTo(to, preparing.signal);
    } finally {
      this.#preparing = undefined;
    }
  }

  async #stop(): Promise<void> {
    const from = this.#state.policy;
    if (from !== EEVDF) {
      const report = await this.#switch({ kind: 'fall-back', to: EEVDF }, 'released');
      const to = report.outcome === 'active' ? EEVDF : report.now;
      this.#state = { ...this.#state, policy: to, sinceNs: this.#now() };
      this.#write({
        kind: 'event',
        event: 'switched',
        what: 'the daemon ends',
        rule: 'released',
        from,
        to,
        answer: report,
      });
    }
    this.#keep();
    this.note('stopped', `${this.#state.policy} is in effect`);
  }

  /** What a switch cost the machine: the gap, and the preparation's share of its CPUs. */
  #costOf({ gapNs, preparedNs }: SwitchReport): number {
    return gapNs + preparedNs / this.#parts.cpus;
  }

  #quarantined(): ReadonlySet<string> {
    const context = this.#context();
    const ids = [...this.#parts.actuator.policies.keys()];
    return new Set(ids.filter((id) => quarantinedNow(this.#state, subjectOf(id, context), this.#now())));
  }

  #context(): GuardContext {
    const { actuator, kernel } = this.#parts;
    return { config: this.guard, kernel, versionOf: (policy) => actuator.policies.get(policy)?.version };
  }

  #latch(why: string): void {
    this.#parts.onLatch?.(true);
    this.#parts.latch.set(why);
  }

  #keep(): void {
    const failed = (error: Error) => {
      this.#keepFault = `quarantine and switches cannot be kept for the next daemon: ${error.message}`;
    };
    try {
      const kept = Promise.resolve(this.#parts.keep(this.#state));
      this.#keepFault = undefined;
      kept.catch(failed);
    } catch (error) {
      failed(error as Error);
    }
  }

  #write(line: Parameters<Journal['write']>[0]): JournalLine {
    const written = this.#parts.journal.write(line);
    this.#parts.saw?.(written);
    return written;
  }

  #now(): number {
    return this.#parts.clock.nowNs();
  }
}

/** `Calm.windows` after one more window. */
function calmAfter(calm: number, { state, action }: Verdict, harm: GuardConfig['harm']): number {
  const { candidate, watch } = state;
  if (action.kind !== 'stay') return 0;
  if (candidate !== undefined) return -DOUBT;
  const judged = watch === undefined || watch.after.length >= harm.windows;
  return judged ? calm + 1 : Math.min(0, calm);
}

/** Instead of an answer of the map. */
function silentMap(why: string): Selection {
  return { policy: EEVDF, rule: 'map-unreadable', why, neighbours: [], abstained: true, novel: false };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Four digits say as much as windows repeat, in half the bytes. */
function briefly({ features, values }: NonNullable<Window['vector']>): NonNullable<Window['vector']> {
  return { features, values: values.map((value) => Math.round(value * 1e4) / 1e4) };
}
