// SPDX-License-Identifier: Apache-2.0
import type { Machine } from '../core/spec.ts';
import type { ParameterValues } from '../core/workload.ts';

/** A day as it is lived: phases one after another, each with parts that run at the same time. */
export interface Day {
  readonly name: string;
  readonly about?: string;
  readonly image: string;
  readonly machine: Machine;
  /** `shuffled`: each block has its own order of phases, which follows its seed. */
  readonly order: 'listed' | 'shuffled';
  readonly phases: readonly Phase[];
  /** Configuration of the daemon, as `pmvx autotune --config` takes it. */
  readonly autotune: Readonly<Record<string, unknown>>;
  /** Sets of probes that the daemon finds no objects of. */
  readonly missingProbes: readonly string[];
  /** Schedulers of `bpf/made-up`, which are there to fail, that the daemon may choose. */
  readonly madeUp: readonly string[];
}

export interface Phase {
  readonly name: string;
  readonly parts: readonly Part[];
  /** What happens to the machine right before it. */
  readonly before: readonly Act[];
}

/** A workload's command, again and again: one round after the other. */
export interface Part {
  readonly workload: string;
  /** The metric by which the part is judged. */
  readonly metric: string;
  /** Parameters of each round; ramps have been drawn out. */
  readonly rounds: readonly ParameterValues[];
}

/** `clock`: the wall clock jumps by so many seconds. `kill`: the daemon is killed, as by kill -9. */
export type Act = { readonly clock: number } | { readonly kill: 'daemon' };
