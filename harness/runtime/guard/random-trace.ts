// SPDX-License-Identifier: Apache-2.0
// Random lives of a guard for its tests, and a referee that knows the safeguards but not how the guard keeps them.
import { EEVDF, type SwitchReport } from '../contracts.ts';
import type { GuardConfig } from './config.ts';
import { dwellMs } from './dwell.ts';
import { type GuardState, INITIAL } from './state.ts';
import { type GuardContext, type GuardInput, step, type Verdict } from './step.ts';

/** Numbers from 0 to below 1 that depend on the seed alone (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const POLICIES = ['a', 'b', 'c'];
const VERSIONS: Readonly<Record<string, string>> = { a: '1', b: '1', c: '1' };
const HOUR_NS = 3600e9;

/** What a life showed: how often each rule decided, and each breach of a safeguard in words. */
export interface Life {
  readonly rules: ReadonlyMap<string, number>;
  readonly breaches: readonly string[];
}

/** Lets a guard live through `steps` random events; the referee judges by what was `promised`. */
export function liveRandomly(
  seed: number,
  steps: number,
  config: GuardConfig,
  promised: GuardConfig = config,
): Life {
  const random = randomFrom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const referee = new Referee(promised);
  const context: GuardContext = { config, kernel: 'k', versionOf: (policy) => VERSIONS[policy] };
  const rules = new Map<string, number>();
  let state: GuardState = INITIAL;
  let nowNs = 1e12;
  // Loads come in phases, so that windows agree for a while and switches are made at all.
  let wanted = EEVDF;
  let progress = 1000;
  let stranger = false;

  const feed = (input: GuardInput): Verdict => {
    const verdict = step(state, input, context);
    rules.set(verdict.rule, (rules.get(verdict.rule) ?? 0) + 1);
    referee.saw(state, input, verdict);
    state = verdict.state;
    return verdict;
  };
  const act = ({ action, rule }: Verdict): void => {
    if (action.kind === 'stay') return;
    const { to } = action;
    const from = state.policy;
    const refused = action.kind === 'switch' && random() < 0.1;
    const base = { from, to, gapNs: random() * 2e7, preparedNs: random() * 5e7 };
    const report: SwitchReport = refused
      ? { ...base, outcome: 'refused', why: 'no', now: random() < 0.5 ? from : EEVDF, blamed: random() < 0.8 }
      : { ...base, outcome: 'active', proof: 'p' };
    nowNs += random() * 1e8;
    feed({ kind: 'report', report, cause: rule, costNs: base.gapNs, nowNs });
    referee.settled(state, report, nowNs);
  };

  for (let at = 0; at < steps; at++) {
    nowNs += random() < 0.01 ? random() * 3 * HOUR_NS : random() * 2e9;
    const chance = random();
    if (chance < 0.03) act(feed({ kind: 'kill', why: 'w', nowNs }));
    else if (chance < 0.08) feed({ kind: 'resume', nowNs });
    else if (chance < 0.09 && state.policy !== EEVDF) {
      const how = pick(['ejected', 'stalled', 'died', 'sysrq', 'replaced'] as const);
      act(feed({ kind: 'departed', departure: { policy: state.policy, how, why: 'w' }, nowNs }));
    } else if (chance < 0.1) {
      stranger = !stranger;
      act(feed({ kind: 'stranger', ops: stranger ? 'theirs' : undefined, nowNs }));
    } else if (chance < 0.12) {
      const policy = pick([...POLICIES, EEVDF, 'unheard-of']);
      const holdMs = random() * 60_000;
      act(feed({ kind: 'apply', policy, unguarded: false, holdMs, canLog: random() < 0.9, nowNs }));
    } else if (chance < 0.125) act(feed({ kind: 'rollback', why: 'w', nowNs }));
    else {
      if (random() < 0.05) wanted = pick([...POLICIES, EEVDF]);
      if (random() < 0.05) progress = 500 + random() * 1000;
      const policy = random() < 0.05 ? pick([...POLICIES, EEVDF]) : wanted;
      const unknown = random() < 0.03;
      act(
        feed({
          kind: 'window',
          nowNs,
          canLog: random() < 0.95,
          seen: { health: { pressure: {}, progress, progressUnit: 'given' }, vector: [1, 0] },
          selection: {
            policy: unknown ? EEVDF : policy,
            rule: unknown ? 'unknown-window' : 'map',
            why: 'w',
            neighbours: [],
            abstained: false,
            novel: false,
          },
        }),
      );
    }
  }
  return { rules, breaches: referee.breaches };
}

/** Knows what was promised, and keeps its own books. */
class Referee {
  readonly breaches: string[] = [];
  readonly #config: GuardConfig;
  readonly #switchesNs: number[] = [];
  readonly #until = new Map<string, { untilNs: number; times: number }>();
  #policy = EEVDF;
  #sinceNs: number | undefined;
  #named: string[] = [];
  #killed = false;
  #aside = false;
  #graceNs = 0;

  constructor(config: GuardConfig) {
    this.#config = config;
  }

  saw(before: GuardState, input: GuardInput, { action, rule }: Verdict): void {
    const { nowNs } = input;
    if (before.policy !== this.#policy)
      this.#breach(nowNs, `the guard believes in ${before.policy}, and ${this.#policy} is in effect`);
    this.#note(input);
    // The answer to a switch carries the rule that asked for it.
    if (input.kind !== 'report' && (rule === 'harm' || rule === 'rolled-back'))
      this.#quarantine(this.#policy, nowNs);
    if (action.kind === 'fall-back') this.#switchesNs.push(nowNs);
    if (action.kind === 'switch') this.#judge(before, input, action.to, rule);
    if (this.#killed && this.#policy !== EEVDF && action.kind !== 'fall-back' && input.kind !== 'report')
      this.#breach(nowNs, 'latched, and not on the way home');
  }

  /** What is in effect after the kernel has answered. */
  settled(after: GuardState, report: SwitchReport, nowNs: number): void {
    const now = report.outcome === 'active' ? report.to : report.now;
    if (report.outcome === 'refused' && report.blamed) this.#quarantine(report.to, nowNs);
    if (now !== this.#policy || report.outcome === 'active') this.#sinceNs = nowNs;
    this.#policy = now;
    this.#named = [];
    if (after.policy !== now)
      this.#breach(nowNs, `${now} is in effect, and the guard believes in ${after.policy}`);
  }

  #note(input: GuardInput): void {
    const { nowNs } = input;
    if (input.kind === 'kill') this.#killed = true;
    if (input.kind === 'resume') this.#killed = false;
    if (input.kind === 'departed') {
      const { how, policy } = input.departure;
      if (how === 'sysrq') this.#killed = true;
      else if (how === 'replaced') this.#graceNs = nowNs + this.#config.asideMs * 1e6;
      else this.#quarantine(policy, nowNs);
    }
    if (input.kind === 'stranger') {
      if (this.#aside && input.ops === undefined) this.#graceNs = nowNs + this.#config.asideMs * 1e6;
      this.#aside = input.ops !== undefined;
    }
    if (input.kind === 'window')
      this.#named.push(input.selection.rule === 'unknown-window' ? '' : input.selection.policy);
  }

  #judge(before: GuardState, input: GuardInput, to: string, rule: string): void {
    const { nowNs } = input;
    const { windows, switchesAnHour } = this.#config;
    if (this.#killed) this.#breach(nowNs, 'a switch while latched');
    if (this.#aside) this.#breach(nowNs, "a switch beside somebody else's scheduler");
    if (to === this.#policy) this.#breach(nowNs, `a switch from ${to} to itself`);
    if (!POLICIES.includes(to) && to !== EEVDF) this.#breach(nowNs, `a switch to ${to}, which is not there`);
    const kept = this.#until.get(to);
    if (kept !== undefined && kept.untilNs > nowNs)
      this.#breach(nowNs, `a switch to ${to} in its quarantine`);
    const dwellNs = dwellMs(before, this.#config) * 1e6;
    if (this.#sinceNs !== undefined && nowNs - this.#sinceNs < dwellNs)
      this.#breach(
        nowNs,
        `a switch after ${(nowNs - this.#sinceNs) / 1e9} s; the dwell is ${dwellNs / 1e9} s`,
      );
    if (nowNs < this.#graceNs) this.#breach(nowNs, 'a switch right after an administrator was there');
    if (rule === 'evidence') {
      const last = this.#named.slice(-windows);
      if (last.length < windows || last.some((name) => name !== to))
        this.#breach(nowNs, `a switch to ${to} on ${last.join(', ')}`);
    }
    if ('canLog' in input && !input.canLog) this.#breach(nowNs, 'a switch that cannot be recorded');
    this.#switchesNs.push(nowNs);
    const made = this.#switchesNs.filter((atNs) => atNs > nowNs - HOUR_NS).length;
    if (made > switchesAnHour) this.#breach(nowNs, `${made} switches in an hour`);
    if (to !== EEVDF && made + 1 > switchesAnHour) this.#breach(nowNs, 'no switch is left for the way home');
  }

  #quarantine(policy: string, nowNs: number): void {
    if (policy === EEVDF) return;
    const times = (this.#until.get(policy)?.times ?? 0) + 1;
    const { firstMs, mostMs } = this.#config.quarantine;
    this.#until.set(policy, { times, untilNs: nowNs + Math.min(mostMs, firstMs * 2 ** (times - 1)) * 1e6 });
  }

  #breach(nowNs: number, what: string): void {
    this.breaches.push(`at ${((nowNs - 1e12) / 1e9).toFixed(1)} s: ${what}`);
  }
}
