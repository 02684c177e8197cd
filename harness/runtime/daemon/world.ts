// SPDX-License-Identifier: Apache-2.0
import { unavailable } from '../../../bpf/napi/index.js';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { Policy } from '../../core/policy.ts';
import type { KernelExit } from '../../core/scheduler-exit.ts';
import { rcuExpediter } from '../actuate/expedite.ts';
import { GuardianKeeper } from '../actuate/guardian.ts';
import type { Holder } from '../actuate/holder.ts';
import type { Keeper } from '../actuate/keeper.ts';
import { KernelLog } from '../actuate/kernel-log.ts';
import type { SavedSetting } from '../actuate/knob.ts';
import { type HolderHooks, holdersFor, type PolicyPlaces } from '../actuate/load-policies.ts';
import { readSchedExt } from '../actuate/sched-ext.ts';
import type { KernelState } from '../contracts.ts';
import { openHostProbes } from '../host-probes.ts';
import { type Clock, systemClock } from '../sense/clock.ts';
import type { OpenProbes } from '../sense/probe-set.ts';

/** All of the machine that a daemon touches; tests of faults have one in which nothing is real but processes and files. */
export interface World {
  readonly clock: Clock;
  /** Throws what this machine lacks for a daemon at all. */
  requireDaemon(): void;
  readState(): KernelState;
  holders(
    policies: readonly Policy[],
    places: PolicyPlaces,
    hooks: HolderHooks,
  ): { readonly holders: ReadonlyMap<string, Holder>; readonly lacking: ReadonlyMap<string, string> };
  /** The kernel's words on schedulers that went. */
  openLog(): { exits(): readonly KernelExit[]; close(): void };
  /** Makes switches shorter, where the kernel can. */
  expediter(
    save: (settings: readonly SavedSetting[]) => Promise<void>,
    keeper: Keeper | undefined,
  ): (() => () => void) | undefined;
  /** The process that holds what is in effect; it watches for the kill file, too. */
  guardian(killFile: string): Promise<GuardianKeeper>;
  /** Probes from compiled objects in a folder. */
  openProbes(folder: string): OpenProbes;
}

/** This machine. */
export const REAL_WORLD: World = {
  clock: systemClock,
  requireDaemon: requireProbes,
  readState: () => readSchedExt(),
  holders: (policies, places, hooks) =>
    holdersFor(policies, places, readSchedExt().state !== 'absent', hooks),
  openLog: () => new KernelLog(),
  expediter: rcuExpediter,
  guardian: (killFile) => GuardianKeeper.start(killFile),
  openProbes: (objects) => (set, turn) =>
    openHostProbes([set], { objects, ...(turn === undefined ? {} : { turn }) }),
};

function requireProbes(): void {
  const why = unavailable();
  const next = 'Mend that, or run on another machine';
  if (why !== undefined) throw new PmvxError(ExitCode.environment, { where: 'ebpf-napi', what: why, next });
  if (process.getuid?.() !== 0) {
    throw new PmvxError(ExitCode.environment, {
      where: 'pmvx autotune',
      what: 'loading probes and schedulers needs root',
      next: 'Start it with sudo, or by the systemd unit',
    });
  }
}
