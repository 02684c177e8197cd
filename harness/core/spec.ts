// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from './fork-point.ts';
import type { ProbeSet } from './probe-counters.ts';
import type { EngineName } from './trial.ts';
import type { ParameterValues } from './workload.ts';

/** The machine of every trial. */
export interface Machine {
  readonly engine: EngineName;
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** Million instructions a second of one vCPU when all are busy (`exact` only): 1000 / 2^k / vcpus. */
  readonly speed: number;
  /** Instructions after which `exact` gives the next vCPU its turn. */
  readonly quantum: number;
  /** sockets x cores x threads = vcpus; an LLC is a socket's. */
  readonly topology: {
    /** NUMA nodes: each has the same number of sockets, and an equal share of the memory. */
    readonly nodes: number;
    readonly sockets: number;
    readonly cores: number;
    readonly threads: number;
  };
}

/** Sets of probes (`bpf/probes`), sorted; ms of guest time between two readings, 0: only before and after the run. */
export interface Probes {
  readonly sets: readonly ProbeSet[];
  readonly windowMs: number;
  /** For how many ms of each window events that come often are counted, less than a window; absent: all the time. */
  readonly onMs?: number;
}

/** `fork`: policies live on from one frozen machine; `boot`: each trial executes the whole machine from power-on. */
export type Counterfactual = 'fork' | 'boot';

export interface WorkloadUse {
  readonly workload: string;
  readonly variant: string;
  readonly params: ParameterValues;
}

/** A spec with every default filled in: what `results/runs/<id>/spec.json` holds. */
export interface Spec {
  readonly name: string;
  readonly image: string;
  readonly machine: Machine;
  readonly policies: readonly string[];
  readonly workloads: readonly WorkloadUse[];
  readonly counterfactual: Counterfactual;
  /** Where the policy takes over: each policy meets each workload once for each of these in every block. Unique. */
  readonly points: readonly ForkPoint[];
  readonly seeds: { readonly base: number; readonly count: number };
  /** `randomised`: seeded order within each block; `listed`: as written. */
  readonly order: 'randomised' | 'listed';
  readonly baseline: string;
  /** Probes that the guest runs in every trial, and how often they are read during the run; absent: none. */
  readonly probes?: Probes;
  /** `aa`: the baseline once more in every block, with a seed of its own. */
  readonly controls: readonly 'aa'[];
  readonly stop: StopRule;
}

/** The run ends before its rule says so once more than `maxFailures` trials did not complete. */
export type StopRule = { readonly maxFailures?: number } & (
  | { readonly rule: 'fixed' }
  | {
      /** After the look at which high / low of every interval that counts is at most `width`; `seeds.count` blocks are the bound. */
      readonly rule: 'width';
      readonly width: number;
      /** Blocks before the first look. */
      readonly minBlocks: number;
      /** Whose intervals count; all when absent. */
      readonly policies?: readonly string[];
      readonly workloads?: readonly string[];
    }
);
