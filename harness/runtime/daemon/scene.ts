// SPDX-License-Identifier: Apache-2.0
// What tests of the daemon share: a kernel that is a few variables, a clock that goes when it is told, windows as a test wants them.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KernelExit } from '../../core/scheduler-exit.ts';
import { dryActuator } from '../actuate/dry-actuator.ts';
import type { Held, Holder } from '../actuate/holder.ts';
import { KernelActuator } from '../actuate/kernel-actuator.ts';
import {
  type Calm,
  EEVDF,
  type Health,
  type KernelState,
  type Selection,
  type Selector,
  type Sensor,
  type Window,
} from '../contracts.ts';
import { GUARD_DEFAULTS, type GuardConfig } from '../guard/config.ts';
import { type GuardState, INITIAL } from '../guard/state.ts';
import { Journal } from '../journal/journal.ts';
import type { Clock } from '../sense/clock.ts';
import { Daemon, type DaemonParts } from './daemon.ts';
import { Disk } from './disk.ts';
import { Latch } from './latch.ts';

/** A clock that stands still until somebody waits or moves it. */
export class SceneClock implements Clock {
  ns = 1e12;

  nowNs(): number {
    return this.ns;
  }

  stamp(): string {
    return new Date(Date.UTC(2026, 0, 1) + this.ns / 1e6).toISOString();
  }

  async until(atNs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.ns = Math.max(this.ns, atNs);
  }
}

/** sched_ext as far as the daemon sees it. Every scheduler that was ever enabled is in `history`. */
export class SceneKernel {
  state: KernelState = { state: 'disabled', enableSeq: 0, rejected: 0, switchAll: true };
  readonly history: string[] = [];
  readonly exits: KernelExit[] = [];
  /** Policies that the verifier refuses, or that never come to be enabled. */
  readonly refuses = new Set<string>();

  enable(ops: string): void {
    const enableSeq = (this.state.enableSeq ?? 0) + 1;
    this.state = { ...this.state, state: 'enabled', ops, enableSeq };
    this.history.push(ops);
  }

  disable(): void {
    const { ops: _gone, ...rest } = this.state;
    this.state = { ...rest, state: 'disabled' };
  }

  /** Throws the scheduler out, as the watchdog and a runtime error do. */
  eject(reason = 'runnable task stall', kind = 1026): void {
    const ops = this.state.ops as string;
    this.exits.push({ ops, reason, kind, words: `sched_ext: BPF scheduler "${ops}" disabled (${reason})` });
    this.disable();
  }

  takeExits(): KernelExit[] {
    return this.exits.splice(0);
  }

  /** A scheduler of ours that this kernel takes. */
  holder(ops: string, version = '1'): Holder {
    return {
      kind: 'struct_ops',
      version,
      prepare: async () => {
        if (this.refuses.has(ops)) throw new Error(`the verifier refuses ${ops}`);
        return {
          take: async (): Promise<Held> => {
            if (this.state.state !== 'disabled') throw new Error('EBUSY');
            this.enable(ops);
            const own = this.state.enableSeq;
            return {
              ops,
              ended: () => undefined,
              proof: () => 'held by the scene',
              release: async () => {
                if (this.state.enableSeq === own && this.state.ops === ops) this.disable();
              },
            };
          },
          discard: async () => undefined,
        };
      },
    };
  }
}

export function sceneHealth(given: Partial<Health> = {}): Health {
  return {
    waitP99Us: 100,
    waitMeanUs: 10,
    pressure: { cpu: 0.1 },
    busy: 0.9,
    progress: 1000,
    progressUnit: 'given',
    ...given,
  };
}

export function sceneSelection(policy: string, given: Partial<Selection> = {}): Selection {
  return {
    policy,
    rule: policy === EEVDF ? 'abstain' : 'map',
    why: `the scene wants ${policy}`,
    neighbours: [{ workload: 'w', variant: 'v', distance: 0.2 }],
    ...(policy === EEVDF ? {} : { interval: { ratio: 0.8, low: 0.7, high: 0.9 } }),
    abstained: policy === EEVDF,
    novel: false,
    ...given,
  };
}

/** What a test says of a window: which policy the map names, and how the machine fares. */
export interface SceneWindow {
  readonly wants: string;
  readonly health?: Partial<Health>;
  /** What happens before the window closes. */
  readonly before?: () => void;
}

export interface Scene {
  readonly clock: SceneClock;
  readonly kernel: SceneKernel;
  readonly daemon: Daemon;
  readonly journal: Journal;
  readonly folder: string;
  readonly kept: GuardState[];
  /** Lives through these windows, and leaves the daemon as it is then. */
  live(windows: readonly SceneWindow[]): Promise<void>;
  /** What the daemon tells the sensor: windows in a row that changed nothing. */
  calm(): number;
  /** As SIGTERM. */
  stop(): Promise<void>;
}

export const SCENE_GUARD: GuardConfig = { ...GUARD_DEFAULTS, dwell: { ...GUARD_DEFAULTS.dwell, ms: 5000 } };

/** A daemon with all of its parts but probes and a map. Policies are `a`, `b`, `c`, each a scheduler of that name. */
export function openScene(
  given: Partial<Pick<DaemonParts, 'guard' | 'recalled' | 'dry'>> & {
    readonly kernel?: SceneKernel;
    readonly clock?: SceneClock;
    readonly folder?: string;
  } = {},
): Scene {
  const { kernel = new SceneKernel(), clock = new SceneClock() } = given;
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), 'pmvx-daemon-'));
  const disk = new Disk();
  const journal = Journal.open({
    disk,
    path: join(folder, 'journal.jsonl'),
    clock,
    life: 'scene',
    mostBytes: 1 << 24,
    keep: 2,
  });
  const ids = ['a', 'b', 'c'];
  const words = { summary: 's', suits: 's', weakness: 's', source: 's' };
  const actuator = given.dry
    ? dryActuator(
        ids.map((id) => ({ id, definition: { kind: 'struct_ops', ...words, ops: id, constants: {} } })),
        () => kernel.state,
      )
    : new KernelActuator({
        holders: new Map(ids.map((id) => [id, kernel.holder(id)])),
        readState: () => kernel.state,
        exits: () => kernel.takeExits(),
        clock,
        deadlineMs: 50,
        prepareMs: 50,
      });
  const stop = new AbortController();
  const waiting: SceneWindow[] = [];
  let index = 0;
  let wake = Promise.withResolvers<void>();
  let idle = Promise.withResolvers<void>();
  let now: SceneWindow | undefined;
  let calm = (): Calm => ({ policy: EEVDF, windows: 0 });
  const sensor: Sensor = {
    async next(signal, calmNow): Promise<Window> {
      calm = calmNow;
      while (waiting.length === 0) {
        idle.resolve();
        await Promise.race([
          wake.promise,
          new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
        ]);
        signal.throwIfAborted();
        wake = Promise.withResolvers<void>();
      }
      now = waiting.shift() as SceneWindow;
      const beganNs = clock.ns;
      clock.ns += 1e9;
      now.before?.();
      const vector = { features: 'scene', values: [1, 0] };
      return { index: index++, beganNs, ms: 1000, counters: {}, vector, health: sceneHealth(now.health) };
    },
    close: () => undefined,
  };
  const selector: Selector = {
    select: async (_window, { excluded }) => {
      const wants = (now as SceneWindow).wants;
      return sceneSelection(excluded.has(wants) ? EEVDF : wants);
    },
    close: async () => undefined,
  };
  const kept: GuardState[] = [];
  const daemon = new Daemon({
    sensor,
    selector,
    actuator,
    journal,
    latch: new Latch(join(folder, 'killed'), disk),
    clock,
    guard: given.guard ?? SCENE_GUARD,
    kernel: '7.3',
    cpus: 4,
    dry: given.dry ?? false,
    recalled: given.recalled ?? INITIAL,
    keep: (state) => kept.push(state),
  });
  const running = daemon.run(stop.signal);
  return {
    clock,
    kernel,
    daemon,
    journal,
    folder,
    kept,
    async live(windows) {
      await idle.promise;
      idle = Promise.withResolvers<void>();
      waiting.push(...windows);
      wake.resolve();
      await idle.promise;
      await daemon.serial(async () => undefined);
      await disk.idle(10_000);
    },
    calm: () => calm().windows,
    async stop() {
      stop.abort(new Error('stopped'));
      await running;
      await disk.idle(10_000);
    },
  };
}
