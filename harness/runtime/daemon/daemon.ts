// SPDX-License-Identifier: Apache-2.0
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
  /** Keeps the guard's state for the next daemon; what it throws is a fault, and no reason to stop. */
  readonly keep: (state: GuardState) => void;
  /** Told of each line of the journal. */
  readonly saw?: (line: JournalLine) => void;
}

/** A window that named another policy takes so many more that do not before a sensor may rest: the next one may name it again. */
const DOUBT = 2;

/** How often the kernel is asked between windows whether the policy is still there, ms. */
const CHECK_MS = 500;

/**
 * The closed loop: each window is sensed, the map asked, the guard decides, the kernel is told, and all of it recorded. Everything that
 * changes something goes through `serial`, one after the other.
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
  selector: Selector;
  guard: GuardConfig;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#state = parts.recalled;
    this.selector = parts.selector;
    this.guard = parts.guard;
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

  /** Works until the signal; then lets go of the policy, and says so. */
  async run(signal: AbortSignal): Promise<void> {
    const { sensor, journal } = this.#parts;
    signal.addEventListener('abort', () => this.hurry('the daemon ends'), { once: true });
    const checking = setInterval(() => void this.serial(() => this.#check()), CHECK_MS);
    try {
      await this.serial(() => this.#check());
      while (!signal.aborted) {
        const window = await sensor.next(signal, () => ({ policy: this.#state.policy, windows: this.#calm }));
        await this.serial(() => this.#onWindow(window));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearInterval(checking);
      this.#stopping = true;
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

  /** What the guard would say, without doing it. */
  ask(input: GuardInput): Verdict {
    return step(this.#state, input, this.#context());
  }

  /** Latches: EEVDF until `resume`. */
  async kill(why: string): Promise<JournalLine> {
    this.#parts.latch.set(why);
    return this.decide({ kind: 'kill', why, nowNs: this.#now() }, 'killed', `latched: ${why}`);
  }

  async resume(): Promise<JournalLine> {
    this.#parts.latch.clear();
    return this.decide({ kind: 'resume', nowNs: this.#now() }, 'resumed', 'the latch was opened');
  }

  /** Has the guard decide about something that is no window, does it, and records it as an event. Only within `serial`. */
  async decide(input: GuardInput, event: Event['event'], what: string): Promise<JournalLine> {
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

  async #onWindow(window: Window): Promise<void> {
    const { clock, journal, dry, queue } = this.#parts;
    await this.#check();
    const selection = await this.selector.select(window, {
      policy: this.#state.policy,
      excluded: this.#quarantined(),
    });
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

  /** Looks at what may happen at any time: the latch, a policy that went, somebody else's scheduler. */
  async #check(): Promise<void> {
    const { latch, actuator } = this.#parts;
    const nowNs = this.#now();
    const latched = latch.read();
    if (latched !== undefined && this.#state.killed === undefined)
      await this.decide({ kind: 'kill', why: latched, nowNs }, 'killed', `latched: ${latched}`);
    const departure = await actuator.departure();
    if (departure !== undefined) {
      const { policy, how, why } = departure;
      if (how === 'sysrq') latch.set(why);
      await this.decide({ kind: 'departed', departure, nowNs }, 'departed', `${policy} ${how}: ${why}`);
    }
    const ops = await actuator.stranger();
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
    this.#write({ kind: 'intent', from, to, rule });
    const recorded = await journal.sync();
    if (!recorded && action.kind === 'switch') {
      const why = 'the intent cannot be recorded, so it was not done';
      return { from, to, gapNs: 0, preparedNs: 0, outcome: 'refused', why, now: from, blamed: false };
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

  #keep(): void {
    try {
      this.#parts.keep(this.#state);
      this.#keepFault = undefined;
    } catch (error) {
      this.#keepFault = `quarantine and switches cannot be kept for the next daemon: ${(error as Error).message}`;
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

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Four digits say as much as windows repeat, in half the bytes. */
function briefly({ features, values }: NonNullable<Window['vector']>): NonNullable<Window['vector']> {
  return { features, values: values.map((value) => Math.round(value * 1e4) / 1e4) };
}
