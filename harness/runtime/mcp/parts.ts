// SPDX-License-Identifier: Apache-2.0
import type { Machine, Objective } from '../../../analysis/policy-map/evidence.ts';
import type { PolicyMapReader } from '../../../analysis/policy-map/policy-map.ts';
import type { Policy } from '../../core/policy.ts';
import type { KernelState, Window } from '../contracts.ts';
import type { ControlClient } from '../daemon/control-client.ts';
import type { Call } from './tool.ts';

/** What tools are made from; whoever starts the server knows where it all is. */
export interface McpParts {
  readonly version: string;
  /** Whether `apply` and `rollback` may act. */
  readonly allowApply: boolean;
  /** What the map calls this machine. */
  readonly machine: Machine;
  readonly objective: Objective;
  /** Opens the map; rejects with a ToolError when none was given. */
  openMap(): Promise<PolicyMapReader>;
  /** Connects to the daemon; rejects with PmvxError when none listens. */
  daemon(): Promise<ControlClient>;
  /** Observes the machine with probes of its own, where no daemon runs. */
  sense(windowMs: number, signal: AbortSignal): Promise<Window>;
  kernel(): KernelState;
  policies(): Promise<readonly Policy[]>;
  whatIf(asked: AskedFutures, call: Call): Promise<Futures>;
  readonly reports: Reports;
}

/** What `what_if` asks for. */
export interface AskedFutures {
  /** `hackbench`, or with parameters `hackbench:groups=2,loops=60`. */
  readonly workload: string;
  readonly policies: readonly string[];
  /** `quiescent`, `warm` or a time such as `0.25s`. */
  readonly at: string;
  readonly states: number;
  readonly image: string;
  readonly vcpus: number;
  readonly mostForks: number;
  readonly mostSeconds: number;
}

/** What each policy would have done. */
export interface Futures {
  readonly workload: string;
  readonly variant: string;
  readonly at: string;
  readonly states: number;
  readonly metric?: { readonly name: string; readonly unit: string; readonly direction: 'lower' | 'higher' };
  readonly policies: readonly Future[];
}

export interface Future {
  readonly policy: string;
  readonly completed: number;
  readonly median?: number;
  /** Over the baseline's, of the metric as it is; with an interval from two states on. */
  readonly ratio?: { readonly ratio: number; readonly low?: number; readonly high?: number };
  readonly verdict?: string;
  /** Why futures did not complete. */
  readonly failures: readonly string[];
}

/** Documents that can be read by their address. */
export interface Reports {
  list(): Promise<readonly Report[]>;
  /** Undefined when there is none of that address. */
  read(uri: string): Promise<{ readonly mimeType: string; readonly text: string } | undefined>;
}

export interface Report {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
  readonly mimeType: string;
}
