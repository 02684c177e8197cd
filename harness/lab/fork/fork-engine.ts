// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../../core/spec.ts';
import type { Engine, GuestOutcome, Orders } from '../engine.ts';
import { endOf, type ProcessEnd, startMachine } from '../machine-process.ts';
import { writeMailbox } from '../mailbox.ts';
import { keepLogs, readOutcome } from '../outcome.ts';
import type { MachineUse } from '../qemu-arguments.ts';
import { ramFile, SNAPSHOT_FILES } from '../snapshots/manifest.ts';
import type { Snapshot } from '../snapshots/store.ts';
import {
  askedUse,
  MACHINE_FILES,
  machineCommand,
  machineReach,
  removeScratch,
  saidIn,
  tellHash,
  type VmOptions,
} from '../vm-engine.ts';
import { type ForkLab, forkPoint, NoForkPoint, type SnapshotFacts, saidBefore } from './fork-point.ts';
import { restoreState } from './migrate.ts';
import { openMonitor } from './monitor.ts';
import { quitWhenDone } from './stopped.ts';

export interface ForkOptions extends Pick<VmOptions, 'onHash' | 'play'> {
  /** Name of a file in the trial's folder that receives every context switch; `exact` only. */
  readonly switches?: string;
  /** Receives the host seconds from the start of QEMU until the fork runs. */
  readonly onRunning?: (seconds: number) => void;
}

/** The engine that lets one machine, frozen where the policy is chosen, live on for every trial. */
export function forkEngine(lab: ForkLab, options: ForkOptions = {}): Engine {
  return {
    name: lab.accelerator,
    async runTrial(orders, machine, folder, signal): Promise<GuestOutcome> {
      await mkdir(folder, { recursive: true });
      let snapshot: Snapshot;
      const started = performance.now();
      const seconds = () => (performance.now() - started) / 1000;
      try {
        snapshot = await forkPoint(lab, orders, machine, join(folder, 'fork-point'), signal);
      } catch (error) {
        if (!(error instanceof NoForkPoint)) throw error;
        return { ...error.outcome, hostSeconds: seconds() };
      } finally {
        await rm(join(folder, 'fork-point'), { recursive: true, force: true });
      }
      try {
        return await fork(lab, options, snapshot, { orders, machine, folder, signal });
      } finally {
        await snapshot.release();
      }
    },
  };
}

interface Fork {
  readonly orders: Orders;
  readonly machine: Machine;
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function fork(
  lab: ForkLab,
  options: ForkOptions,
  snapshot: Snapshot,
  { orders, machine, folder, signal }: Fork,
): Promise<GuestOutcome> {
  const started = performance.now();
  const paths = Array.from({ length: machine.topology.nodes }, (_, node) =>
    join(snapshot.folder, ramFile(node)),
  );
  const use: MachineUse = {
    ...askedUse(lab.accelerator, options),
    ...switchesUse(options, snapshot),
    monitor: true,
    restored: true,
  };
  try {
    await writeMailbox(join(folder, MACHINE_FILES.mailbox), orders);
    const command = machineCommand(lab.accelerator, lab.image, machine, { paths, mapped: 'private' }, use);
    const deadlineMs = lab.hostDeadlineMs(orders, machine);
    const more = { read: [...paths, join(snapshot.folder, SNAPSHOT_FILES.state)] };
    const reach = await machineReach(lab.accelerator, lab.image, folder, use, more);
    const began = performance.now();
    const { play } = options;
    const running = startMachine(command, { cwd: folder, deadlineMs, signal, reach, play });
    let words = '';
    let ran = false;
    let end: ProcessEnd;
    try {
      const monitor = await openMonitor(running.monitor);
      await restoreState(monitor, join(snapshot.folder, SNAPSHOT_FILES.state));
      ran = true;
      options.onRunning?.((performance.now() - began) / 1000);
      if (lab.accelerator !== 'exact') await quitWhenDone(monitor, saidIn(folder).dataPath);
      end = await running.ended;
    } catch (error) {
      end = await endOf(running);
      words = `${(error as Error).message}; `;
    }
    await tellHash(options, use, folder);
    const seconds = (performance.now() - started) / 1000;
    const said = { before: await saidBefore(snapshot), ...saidIn(folder) };
    const outcome = await readOutcome({ ...end, stderr: words + end.stderr }, said, seconds);
    await keepLogs(outcome, folder);
    return ran ? outcome : { ...outcome, neverRan: true };
  } finally {
    await removeScratch(folder);
  }
}

function switchesUse(options: ForkOptions, snapshot: Snapshot): Pick<MachineUse, 'switches'> {
  if (options.switches === undefined) return {};
  const { switchTo, pidOffset, commOffset } = (snapshot.manifest.facts as unknown as SnapshotFacts).ready;
  if (switchTo === undefined || pidOffset === undefined || commOffset === undefined) return {};
  return { switches: { path: options.switches, symbols: { switchTo, pidOffset, commOffset } } };
}
