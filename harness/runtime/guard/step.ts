// SPDX-License-Identifier: Apache-2.0
import type { Action, Departure, GuardRule, Selection, SwitchReport } from '../contracts.ts';
import { EEVDF } from '../contracts.ts';
import type { GuardConfig } from './config.ts';
import { arrivalsWith, costWith, lastHour, recentArrivals } from './dwell.ts';
import { floorLimits, floorOf, floorOn, harmOf, watchOn } from './harm.ts';
import { mayHold } from './may.ts';
import { quarantine, type Subject } from './quarantine.ts';
import type { GuardState, Seen, Watch } from './state.ts';

/** What can happen to the guard. Times: ns, monotonic. */
export type GuardInput = { readonly nowNs: number } & (
  | {
      readonly kind: 'window';
      readonly seen: Seen;
      readonly selection: Selection;
      /** Whether the journal takes lines: what cannot be recorded is not done. */
      readonly canLog: boolean;
    }
  | {
      readonly kind: 'report';
      readonly report: SwitchReport;
      /** The rule that asked for it. */
      readonly cause: GuardRule;
      readonly interval?: Selection['interval'];
      /** What the switch cost, ns. */
      readonly costNs: number;
    }
  | { readonly kind: 'departed'; readonly departure: Departure }
  /** A scheduler that is not ours is there, or there is none (any more). */
  | { readonly kind: 'stranger'; readonly ops: string | undefined }
  | { readonly kind: 'kill'; readonly why: string }
  | { readonly kind: 'resume' }
  | {
      readonly kind: 'apply';
      readonly policy: string;
      /** Past dwell, rate and quarantine: only a person who measures wants that. */
      readonly unguarded: boolean;
      /** How long the map is not asked, ms; for good when absent. */
      readonly holdMs?: number;
      readonly canLog: boolean;
    }
  | { readonly kind: 'rollback'; readonly why: string }
  /** A way home that was decided may not have come to its end. */
  | { readonly kind: 'again' }
);

/** What the guard must know and cannot remember. */
export interface GuardContext {
  readonly config: GuardConfig;
  readonly kernel: string;
  /** Version of a policy that can be switched to here; undefined when it cannot. */
  readonly versionOf: (policy: string) => string | undefined;
}

export interface Verdict {
  readonly state: GuardState;
  readonly action: Action;
  readonly rule: GuardRule;
  /** One sentence with numbers. */
  readonly because: string;
}

/** One step of the guard: a pure function, so that every rule can be tried on any sequence of events. */
export function step(before: GuardState, input: GuardInput, context: GuardContext): Verdict {
  const { arrivals } = before;
  const state = {
    ...before,
    switchesNs: lastHour(before.switchesNs, input.nowNs),
    ...(arrivals === undefined ? {} : { arrivals: recentArrivals(arrivals, input.nowNs) }),
  };
  switch (input.kind) {
    case 'window':
      return onWindow(state, input, context);
    case 'report':
      return onReport(state, input, context);
    case 'departed':
      return onDeparted(state, input, context);
    case 'stranger':
      return onStranger(state, input, context);
    case 'kill':
      return fallBack({ ...state, killed: input.why, held: undefined }, input.nowNs, 'killed', input.why);
    case 'resume': {
      if (state.killed === undefined) return stay(state, 'agrees', 'nothing was latched');
      return stay({ ...state, killed: undefined, candidate: undefined }, 'agrees', 'resumed');
    }
    case 'apply':
      return onApply(state, input, context);
    case 'rollback': {
      const subject = subjectOf(state.policy, context);
      const rolled =
        state.policy === EEVDF ? state : quarantine(state, subject, input.why, input.nowNs, context.config);
      return fallBack({ ...rolled, held: undefined }, input.nowNs, 'rolled-back', input.why);
    }
    case 'again':
      return goOnHome(state, input.nowNs) ?? stay(state, 'agrees', 'no way home is under way');
  }
}

type Of<K extends GuardInput['kind']> = Extract<GuardInput, { readonly kind: K }>;

function onWindow(before: GuardState, input: Of<'window'>, context: GuardContext): Verdict {
  const { nowNs, seen, selection, canLog } = input;
  const { config } = context;
  const state = sawWindow(before, seen, config);
  const out = outOf(state);
  if (out !== undefined) {
    return state.policy === EEVDF
      ? stay(state, out.rule, out.because)
      : fallBack(state, nowNs, out.rule, out.because);
  }
  const onItsWay = goOnHome(state, nowNs);
  if (onItsWay !== undefined) return onItsWay;
  const harm = state.policy === EEVDF ? undefined : harmNow(state, config.harm);
  if (harm !== undefined) {
    const blamed = quarantine(state, subjectOf(state.policy, context), harm, nowNs, config);
    return fallBack({ ...blamed, held: undefined }, nowNs, 'harm', harm);
  }
  const { blind = 0 } = state;
  if (state.policy !== EEVDF && blind >= config.harm.blind) {
    const because = `nothing has been seen of how the machine fares for ${blind} windows`;
    return fallBack({ ...state, held: undefined }, nowNs, 'blind', because);
  }
  if (state.held !== undefined) {
    const { policy, untilNs } = state.held;
    if (untilNs === undefined || nowNs < untilNs) {
      const left = untilNs === undefined ? '' : ` for ${seconds(untilNs - nowNs)} more`;
      return stay({ ...state, candidate: undefined }, 'applied', `${policy} was applied, and holds${left}`);
    }
  }
  return onSelection({ ...state, held: undefined }, selection, nowNs, canLog, context);
}

/** What the guard remembers of a window, whatever it decides. */
function sawWindow(before: GuardState, seen: Seen, { windows, harm }: GuardConfig): GuardState {
  const watch = before.watch && watchOn(before.watch, seen, harm);
  const standing = before.watch !== undefined && watch === undefined ? floorOf(before.watch) : before.floor;
  const keep = Math.max(1, Math.min(windows, harm.windows));
  const { progress, waitMeanUs, waitP99Us, busy } = seen.health;
  const isBlind = [progress, waitMeanUs, waitP99Us, busy].every((sign) => sign === undefined);
  return {
    ...before,
    watch,
    floor: standing && floorOn(standing, seen, harm),
    blind: isBlind ? (before.blind ?? 0) + 1 : undefined,
    recent: [...before.recent, seen].slice(-keep),
  };
}

function harmNow({ watch, floor }: GuardState, config: GuardConfig['harm']): string | undefined {
  if (watch !== undefined) return harmOf(watch, config);
  return floor && harmOf(floor, floorLimits(config));
}

/** One more attempt at a way home that the kernel has not agreed to; undefined when there is none. */
function goOnHome(state: GuardState, nowNs: number): Verdict | undefined {
  const { leaving, policy } = state;
  if (leaving === undefined || policy === EEVDF) return undefined;
  return fallBack({ ...state, held: undefined }, nowNs, leaving.rule, leaving.because);
}

function onSelection(
  state: GuardState,
  selection: Selection,
  nowNs: number,
  canLog: boolean,
  context: GuardContext,
): Verdict {
  const { policy: to } = selection;
  if (selection.rule === 'unknown-window')
    return stay({ ...state, candidate: undefined }, 'no-evidence', selection.why);
  if (to === state.policy) return stay({ ...state, candidate: undefined }, 'agrees', `${to} is in effect`);
  const windows = state.candidate?.policy === to ? state.candidate.windows + 1 : 1;
  const named = { ...state, candidate: { policy: to, windows } };
  const needed = context.config.windows;
  if (windows < needed)
    return stay(
      named,
      'hysteresis',
      `${to} was named by ${windows} of the ${needed} windows in a row that it takes`,
    );
  const obstacle = mayHold(named, to, nowNs, canLog, context);
  if (obstacle !== undefined) return stay(named, obstacle.rule, obstacle.because);
  return switchTo(named, to, nowNs, 'evidence', `${windows} windows in a row named ${to}`);
}

function onApply(state: GuardState, input: Of<'apply'>, context: GuardContext): Verdict {
  const { nowNs, policy: to, unguarded, holdMs, canLog } = input;
  const out = outOf(state);
  if (out !== undefined) return stay(state, out.rule, out.because);
  if (state.leaving !== undefined) return stay(state, state.leaving.rule, state.leaving.because);
  const untilNs = holdMs === undefined ? undefined : nowNs + holdMs * 1e6;
  const held = { ...state, held: { policy: to, untilNs } };
  if (to === state.policy) return stay(held, 'applied', `${to} is in effect`);
  const obstacle = mayHold(state, to, nowNs, canLog, context);
  const passable = unguarded && obstacle?.rule !== 'not-available' && obstacle?.rule !== 'journal';
  if (obstacle !== undefined && !passable) return stay(state, obstacle.rule, obstacle.because);
  return switchTo(held, to, nowNs, 'applied', `${to} was applied`);
}

function onReport(state: GuardState, input: Of<'report'>, context: GuardContext): Verdict {
  const { nowNs, report, cause, interval, costNs } = input;
  if (report.outcome === 'refused') {
    const blamed =
      report.to === EEVDF || !report.blamed
        ? state
        : quarantine(state, subjectOf(report.to, context), report.why, nowNs, context.config);
    const moved =
      report.now === state.policy
        ? {}
        : { policy: report.now, sinceNs: nowNs, watch: undefined, floor: undefined };
    const refused = {
      ...blamed,
      ...moved,
      leaving: leavingAfter(state, report),
      candidate: undefined,
      held: undefined,
    };
    return stay(refused, 'refused', `${report.to} was refused: ${report.why}`);
  }
  const last = state.recent.at(-1);
  const watch: Watch | undefined =
    report.to === EEVDF || (cause === 'applied' && state.held?.untilNs === undefined)
      ? undefined
      : {
          from: report.from,
          before: state.recent.map(({ health }) => health),
          vector: last?.vector,
          predicted: report.from === EEVDF ? (interval?.high ?? 1) : 1,
          after: [],
          windows: 0,
        };
  const now: GuardState = {
    ...state,
    policy: report.to,
    sinceNs: nowNs,
    candidate: undefined,
    recent: [],
    watch,
    floor: undefined,
    blind: undefined,
    leaving: undefined,
    arrivals: arrivalsWith(state.arrivals, report.to, nowNs),
    costNs: costWith(state.costNs, costNs),
  };
  return stay(now, cause, `${report.to} is in effect`);
}

/** Where a refused switch ended that is not where the machine may stay. */
function leavingAfter(
  { leaving }: GuardState,
  { to, now }: Extract<SwitchReport, { outcome: 'refused' }>,
): GuardState['leaving'] {
  if (now === EEVDF) return undefined;
  if (to === EEVDF) return leaving;
  return now === to ? { rule: 'refused', because: `${to} was refused, and is still there` } : undefined;
}

function onDeparted(state: GuardState, input: Of<'departed'>, context: GuardContext): Verdict {
  const { nowNs, departure } = input;
  const { policy, how, why } = departure;
  const blamed = how === 'ejected' || how === 'stalled' || how === 'died';
  const after = blamed
    ? quarantine(state, subjectOf(policy, context), `${how}: ${why}`, nowNs, context.config)
    : state;
  const latched = how === 'sysrq' ? { killed: why } : {};
  // Whoever took it away by hand is given time.
  const hand =
    how === 'replaced' || how === 'dropped' ? { notBeforeNs: nowNs + context.config.asideMs * 1e6 } : {};
  return fallBack(
    { ...after, ...hand, ...latched, held: undefined },
    nowNs,
    'departed',
    `${policy} ${how}: ${why}`,
  );
}

function onStranger(before: GuardState, input: Of<'stranger'>, context: GuardContext): Verdict {
  const { nowNs, ops } = input;
  const gone = before.aside !== undefined && ops === undefined;
  const notBeforeNs = gone ? nowNs + context.config.asideMs * 1e6 : before.notBeforeNs;
  const state = { ...before, aside: ops, notBeforeNs, candidate: undefined };
  const out = outOf(state);
  if (out === undefined)
    return stay(state, 'agrees', gone ? `${before.aside} is gone` : 'nobody else is there');
  return fallBack({ ...state, held: undefined }, nowNs, out.rule, out.because);
}

/** Why nothing but EEVDF may be in effect, whatever the map says; undefined when that is not so. */
function outOf({ killed, aside }: GuardState): { rule: GuardRule; because: string } | undefined {
  if (killed !== undefined) return { rule: 'killed', because: killed };
  if (aside !== undefined) return { rule: 'stepped-aside', because: `${aside} was loaded by somebody else` };
  return undefined;
}

function stay(state: GuardState, rule: GuardRule, because: string): Verdict {
  return { state, action: { kind: 'stay' }, rule, because };
}

function switchTo(state: GuardState, to: string, nowNs: number, rule: GuardRule, because: string): Verdict {
  const counted = { ...state, switchesNs: [...state.switchesNs, nowNs] };
  return { state: counted, action: { kind: 'switch', to }, rule, because };
}

/** Home to EEVDF, whatever dwell and rate say; there is nothing to do when it is in effect. */
function fallBack(state: GuardState, nowNs: number, rule: GuardRule, because: string): Verdict {
  const calm = { ...state, candidate: undefined, watch: undefined, floor: undefined };
  if (state.policy === EEVDF) return stay({ ...calm, leaving: undefined }, rule, because);
  // An attempt that is made again is the same switch.
  const switchesNs = state.leaving === undefined ? [...calm.switchesNs, nowNs] : calm.switchesNs;
  const counted = { ...calm, switchesNs, leaving: state.leaving ?? { rule, because } };
  return { state: counted, action: { kind: 'fall-back', to: EEVDF }, rule, because };
}

export function subjectOf(policy: string, { kernel, versionOf }: GuardContext): Subject {
  return { policy, version: versionOf(policy) ?? '', kernel };
}

function seconds(ns: number): string {
  return `${(ns / 1e9).toFixed(ns < 10e9 ? 1 : 0)} s`;
}
