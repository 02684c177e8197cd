// SPDX-License-Identifier: Apache-2.0

/** A policy that is ready to take effect: opened, loaded, verified, while another one is still in effect. */
export interface Prepared {
  /** Has it take effect; resolves when the kernel was asked, rejects in its words. Whether it is in effect, the kernel says elsewhere. */
  take(): Promise<Held>;
  /** Lets go of what was prepared and is not wanted any more. */
  discard(): Promise<void>;
}

/** A policy that was asked to take effect. */
export interface Held {
  /** What the kernel calls the scheduler (`prefix_*` for any that begins so); undefined for what is no scheduler. */
  readonly ops?: string;
  /** In the holder's words, why it is not held any more though nobody let go; undefined while it is. */
  ended(): string | undefined;
  /** What proves it, beside the kernel's state of sched_ext; throws in words when it is not in effect. */
  proof(): string;
  /** Resolves when it is not in effect any more. */
  release(): Promise<void>;
}

/** Knows one policy and how to bring it into effect. */
export interface Holder {
  readonly kind: 'struct_ops' | 'process' | 'knob';
  /** Changes when the policy is another one: of its object, program, or settings. */
  readonly version: string;
  /** Does beforehand what `prepare` would, where that may be kept; rejects as it does. */
  warm?(): Promise<void>;
  /** Loads and verifies; rejects in the kernel's or the program's words. Nothing is left then. */
  prepare(signal: AbortSignal): Promise<Prepared>;
}
