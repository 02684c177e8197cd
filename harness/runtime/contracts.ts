// SPDX-License-Identifier: Apache-2.0
/**
 * What the parts of the runtime say to one another. Types alone: sense -> select -> guard -> actuate -> journal.
 *
 *   Sensor --Window--> Selector --Selection--> guard (pure) --Action--> Actuator --SwitchReport--> journal (Decision)
 */
import type { ProbeSet, ProbeTotals } from '../core/probe-counters.ts';

/** The kernel's own scheduler with its own settings: what the machine has when the runtime does nothing. */
export const EEVDF = 'eevdf';

/** How the machine fares, from what can be seen without asking an application. Absent is not known. */
export interface Health {
  /** 99th percentile of the time that runnable tasks waited for a CPU, us: upper edge of the histogram's bucket. */
  readonly waitP99Us?: number;
  /** Mean wait of runnable tasks for a CPU, us. */
  readonly waitMeanUs?: number;
  /** Share of the window in which some task waited for it (PSI `some`), 0 to 1. */
  readonly pressure: { readonly cpu?: number; readonly io?: number; readonly memory?: number };
  /** Work done each second, in a unit that only compares with itself (`progressUnit`). */
  readonly progress?: number;
  readonly progressUnit?: 'instructions' | 'calls' | 'messages' | 'given';
  /** Busy processor time over the processors' time, 0 to 1. */
  readonly busy?: number;
}

/** What was counted between two readings. */
export interface Window {
  /** From 0, since the daemon began. */
  readonly index: number;
  /** When it began, ns on the monotonic clock. */
  readonly beganNs: number;
  /** Length as measured, ms; what was planned may differ when the daemon was late. */
  readonly ms: number;
  /** Right before it probes rested for so long, as nothing changed; `woke` says what ended that, and `changed` whether the machine does. */
  readonly rested?: { readonly ms: number; readonly woke: string; readonly changed: boolean };
  /** Differences of two readings, by set; a set whose probe is gone is absent. */
  readonly counters: { readonly [set in ProbeSet]?: ProbeTotals };
  /** How the system looks: unit length. Exactly one of `vector` and `unknown` is there. */
  readonly vector?: { readonly features: string; readonly values: readonly number[] };
  /** Why nothing can be said of how the system looks. */
  readonly unknown?: string;
  readonly health: Health;
}

/** How it stands, for a sensor that may rest. */
export interface Calm {
  readonly policy: string;
  /** Windows in a row after which there was nothing to do; below 0 where the last ones did not agree. */
  readonly windows: number;
}

export interface Sensor {
  /** Resolves when the next window closes; rejects with the signal's reason when that comes first. While it is calm the sensor may rest first. */
  next(signal: AbortSignal, now: () => Calm): Promise<Window>;
  close(): void;
}

/** A known situation near a window. */
export interface NearbySituation {
  readonly workload: string;
  readonly variant: string;
  /** Chord between the vectors, 0 to 2. */
  readonly distance: number;
}

/** What the memory of policies says of a window. */
export interface Selection {
  /** Policy's id; `eevdf` when it abstains. */
  readonly policy: string;
  /** Which rule of the selector decided. */
  readonly rule: 'map' | 'abstain' | 'unknown-window' | 'map-unreadable' | 'not-available' | 'given';
  /** One sentence. */
  readonly why: string;
  readonly neighbours: readonly NearbySituation[];
  /** Expected cost over EEVDF's, and its interval, of `policy`; absent when the map says nothing of it. */
  readonly interval?: { readonly ratio: number; readonly low: number; readonly high: number };
  readonly abstained: boolean;
  /** True when the window is far from all that is known: it goes to the queue. */
  readonly novel: boolean;
}

/** What a selector may know besides the window. */
export interface SelectorState {
  /** Policy that is active now. */
  readonly policy: string;
  /** Policies that may not be switched to now: they are in quarantine. */
  readonly excluded: ReadonlySet<string>;
}

export interface Selector {
  /** Nobody waits for it longer than for a window. */
  select(window: Window, state: SelectorState): Promise<Selection>;
  close(): Promise<void>;
}

/** What the kernel says of sched_ext, from /sys/kernel/sched_ext. */
export interface KernelState {
  /** `absent`: this kernel has no sched_ext. */
  readonly state: 'absent' | 'enabling' | 'enabled' | 'disabling' | 'disabled' | 'bypassing' | 'unknown';
  /** Name of the scheduler that is loaded (`root/ops`). */
  readonly ops?: string;
  /** Grows by one each time a scheduler is enabled. */
  readonly enableSeq?: number;
  readonly rejected?: number;
  readonly switchAll?: boolean;
}

/** What came of a switch, as the kernel tells it. Times are on the monotonic clock. */
export type SwitchReport = {
  readonly from: string;
  readonly to: string;
  /** Time in which neither the old nor the new policy was in effect: the machine ran under plain EEVDF. 0 where that is one of the two. */
  readonly gapNs: number;
  /** Opening, loading, verifying of the new one while the old one was still in effect. */
  readonly preparedNs: number;
} & (
  | {
      readonly outcome: 'active';
      /** What the kernel says that proves it. */
      readonly proof: string;
    }
  | {
      readonly outcome: 'refused';
      /** In the kernel's or program's words. */
      readonly why: string;
      /** What is in effect now. */
      readonly now: string;
      /** Whether it is the policy's fault: then it goes into quarantine. */
      readonly blamed: boolean;
    }
);

/** A policy that went without having been asked to. */
export interface Departure {
  readonly policy: string;
  /** `dropped`: by the guardian, for the reason that it gave. */
  readonly how: 'ejected' | 'stalled' | 'died' | 'sysrq' | 'replaced' | 'dropped';
  readonly why: string;
}

export type PolicyKind = 'builtin' | 'struct_ops' | 'process' | 'knob';

export interface Actuator {
  /** Policies that can be switched to here, with the version that quarantine is about. */
  readonly policies: ReadonlyMap<string, { readonly kind: PolicyKind; readonly version: string }>;
  /** What the kernel says now. */
  current(): Promise<KernelState>;
  /** The policy that this actuator holds, or EEVDF. */
  held(): string;
  /** What became of the held policy, once: undefined when it is in effect as it should be. */
  departure(): Promise<Departure | undefined>;
  /** A scheduler that somebody else loaded, by the kernel's name of it. */
  stranger(): Promise<string | undefined>;
  /** Never throws for what the kernel refuses; that is a report. The signal ends the preparation, and then nothing was changed. */
  switchTo(policyId: string, signal?: AbortSignal): Promise<SwitchReport>;
  /** Lets go of everything: EEVDF, settings restored. Rejects while the kernel does not agree, and may be asked again. */
  release(): Promise<void>;
  /**
   * Home at once, past whatever is under way, which then takes no effect: lets go of what is held without waiting for the kernel to agree. `switchTo` EEVDF,
   * which follows, does that, and reports.
   */
  abandon?(why: string): Promise<void>;
  /** The guardian has dropped all: a departure is told, and what was to take effect does not. */
  dropped?(why: string): void;
}

/** What the guard decided. */
export type Action =
  | { readonly kind: 'stay' }
  | { readonly kind: 'switch'; readonly to: string }
  /** Back to EEVDF because of harm, a departure, or an order. */
  | { readonly kind: 'fall-back'; readonly to: typeof EEVDF };

/** Which rule of the guard decided; `pmvx explain` has a sentence for each. */
export type GuardRule =
  | 'agrees'
  | 'no-evidence'
  | 'not-available'
  | 'evidence'
  | 'dwell'
  | 'hysteresis'
  | 'rate'
  | 'quarantined'
  | 'killed'
  | 'stepped-aside'
  | 'harm'
  | 'blind'
  | 'departed'
  | 'refused'
  | 'journal'
  | 'applied'
  | 'rolled-back'
  | 'released';

/** One line of the journal: all that a decision rests on, and what came of it. */
export interface Decision {
  readonly v: 1;
  readonly kind: 'decision';
  /** Counts all lines of a daemon's life from 0. */
  readonly seq: number;
  /** Names the daemon's life: lines of two lives in one journal are told apart. */
  readonly life: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** ns on the monotonic clock; what durations are computed from. */
  readonly monotonicNs: number;
  /** It came to the disk so much later than it was made: the disk had not answered. */
  readonly lateMs?: number;
  readonly window: Pick<Window, 'index' | 'ms' | 'health' | 'rested'>;
  readonly vector?: { readonly features: string; readonly values: readonly number[] };
  readonly unknown?: string;
  readonly selection: Selection;
  readonly rule: GuardRule;
  /** One sentence of the guard, with its numbers. */
  readonly because: string;
  readonly action: Action;
  /** Policy in effect before and after. */
  readonly from: string;
  readonly to: string;
  /** The kernel's answer; absent when nothing was asked of it. */
  readonly answer?: SwitchReport;
  /** True with --dry-run: the action was not taken. */
  readonly dry: boolean;
  /** From the end of the window to the decision, ms; the kernel's part is in `answer`. */
  readonly decidedMs: number;
}

/** Written and synced before a switch is made, but on the way home, which waits for no disk: a daemon that dies in between leaves this, and the next one says what it found. */
export interface Intent {
  readonly v: 1;
  readonly kind: 'intent';
  readonly seq: number;
  readonly life: string;
  readonly at: string;
  readonly monotonicNs: number;
  readonly lateMs?: number;
  readonly from: string;
  readonly to: string;
  readonly rule: GuardRule;
}

/** What happened without a window: start, stop, reload, a scheduler thrown out, an admin's hand, a fault. */
export interface Event {
  readonly v: 1;
  readonly kind: 'event';
  readonly seq: number;
  readonly life: string;
  readonly at: string;
  readonly monotonicNs: number;
  readonly lateMs?: number;
  readonly event:
    | 'started'
    | 'stopped'
    | 'reloaded'
    | 'reload-refused'
    | 'killed'
    | 'resumed'
    | 'departed'
    | 'stepped-aside'
    | 'back'
    | 'recovered'
    | 'restored'
    | 'switched'
    | 'proposed'
    | 'fault'
    | 'healed';
  readonly what: string;
  /** Of an event that the guard decided about, as in a decision. */
  readonly rule?: GuardRule;
  readonly because?: string;
  readonly action?: Action;
  readonly from?: string;
  readonly to?: string;
  readonly answer?: SwitchReport;
  readonly dry?: boolean;
}

export type JournalLine = Decision | Intent | Event;

/** A window that nothing known is near to: a line of the queue that `pmvx tune --queue` reads. */
export interface UnknownRegime {
  readonly v: 1;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** As in a policy map's evidence. */
  readonly machine: Readonly<Record<string, string | number>>;
  readonly window: {
    readonly index: number;
    readonly ms: number;
    readonly counters: Window['counters'];
    readonly vector: { readonly features: string; readonly values: readonly number[] };
    readonly health: Health;
  };
  /** Distance to the nearest known situation; absent when there is none. */
  readonly nearest?: number;
  readonly policy: string;
}

/** What `status` answers. */
export interface Status {
  readonly v: 1;
  readonly pid: number;
  readonly life: string;
  readonly at: string;
  readonly mode: 'running' | 'killed' | 'stepped-aside' | 'stopping';
  readonly why?: string;
  readonly dry: boolean;
  readonly policy: string;
  readonly kernel: KernelState;
  /** How long until a switch is allowed, ms; 0 when one is. */
  readonly dwellLeftMs: number;
  readonly switchesInLastHour: number;
  readonly switchesAnHour: number;
  readonly quarantine: readonly {
    readonly policy: string;
    readonly version: string;
    readonly leftMs: number;
    readonly times: number;
    readonly why: string;
  }[];
  readonly window?: {
    readonly index: number;
    readonly ms: number;
    readonly health: Health;
    readonly unknown?: string;
  };
  readonly selection?: Selection;
  /** For how long probes have rested now, as nothing changes; absent: they count. */
  readonly restingMs?: number;
  readonly map: { readonly source: string; readonly features?: string; readonly fault?: string };
  /** What does not work now, each with its next step: a probe that is gone, a disk that is full, a map that cannot be read. */
  readonly faults: readonly string[];
  /** The daemon itself since its start: CPU seconds, and resident memory in bytes. */
  readonly cost: { readonly cpuSeconds: number; readonly upSeconds: number; readonly rssBytes: number };
}

/** A switch that was asked for from outside; `apply` takes its id. */
export interface Proposal {
  readonly id: string;
  readonly policy: string;
  readonly reason: string;
  readonly at: string;
  readonly holdMs: number;
  /** After that `apply` refuses it, ISO 8601. */
  readonly expires: string;
  /** What the guard would say now. */
  readonly allowed: boolean;
  readonly rule: GuardRule;
  readonly because: string;
}

/** Requests on the control socket: one JSON object a line, answered by one line with the same id. */
export interface ControlMethods {
  status: { params: Record<string, never>; result: Status };
  stop: { params: { readonly why?: string }; result: Status };
  resume: { params: Record<string, never>; result: Status };
  reload: { params: Record<string, never>; result: Status };
  /** The last `count` decisions (default 20), oldest first; `all: false` (default true): only those that did something. */
  decisions: { params: { readonly count?: number; readonly all?: boolean }; result: readonly JournalLine[] };
  /** `expiresMs`: how long the proposal may be applied (60 s); `holdMs`: how long the map is not asked after that (10 min). */
  propose: {
    params: {
      readonly policy: string;
      readonly reason: string;
      readonly expiresMs?: number;
      readonly holdMs?: number;
    };
    result: Proposal;
  };
  /** By a proposal's `id`; by `policy` alone only with `unguarded: true` in the configuration, past dwell, rate and hysteresis. */
  apply: { params: { readonly id: string } | { readonly policy: string }; result: JournalLine };
  rollback: { params: { readonly why?: string }; result: JournalLine };
  /** The decision with this number, or the last one, in words. */
  explain: {
    params: { readonly seq?: number };
    result: { readonly line: JournalLine; readonly words: string };
  };
}

export type ControlRequest = {
  [M in keyof ControlMethods]: {
    readonly id: number | string;
    readonly method: M;
    readonly params?: ControlMethods[M]['params'];
  };
}[keyof ControlMethods];

export type ControlResponse =
  | { readonly id: number | string | null; readonly result: unknown }
  | {
      readonly id: number | string | null;
      readonly error: { readonly code: ControlErrorCode; readonly message: string; readonly next?: string };
    };

export type ControlErrorCode =
  | 'bad-request'
  | 'unknown-method'
  | 'bad-params'
  | 'unknown-policy'
  | 'no-such-proposal'
  | 'expired'
  | 'not-allowed'
  | 'refused'
  | 'killed'
  | 'stepped-aside'
  | 'dry-run'
  | 'no-such-decision'
  | 'internal';
