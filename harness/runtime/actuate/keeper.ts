// SPDX-License-Identifier: Apache-2.0
import type { SavedSetting } from './knob.ts';

/** Something that a keeper holds. */
export interface Ward {
  /** Resolves when it is gone, also when it was before; rejects in words when it is still there, and may be asked again. */
  drop(): Promise<void>;
}

/** What a link of BPF is to its keeper. */
export interface OpenLink {
  readonly descriptor: number;
  /** Closes this process's own copy. */
  destroy(): void;
}

/**
 * Holds what a policy has in effect, so that it ends when this process ends, hangs or is told to stop. Each resolves when the keeper has it, and rejects
 * when it was refused; then it is not there any more. It is the keeper's from the call on: nothing in between waits.
 */
export interface Keeper {
  /** The loop is about to be busy with the kernel for so long, ms, and is not to be taken for dead. */
  away(ms: number): void;
  /** This process's own copy is closed. */
  holdLink(link: OpenLink): Promise<Ward>;
  holdProcess(pid: number): Promise<Ward>;
  /** Before it is written. */
  holdSetting(setting: SavedSetting): Promise<Ward>;
}
