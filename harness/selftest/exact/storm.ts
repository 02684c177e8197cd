// SPDX-License-Identifier: Apache-2.0
import { Draw } from '../draw.ts';
import type { Disturbance } from './disturbance.ts';
import type { Guest } from './guests.ts';

/** One machine that is disturbed. */
export interface Trial {
  readonly index: number;
  readonly guest: Guest;
  readonly vcpus: number;
  readonly policy: 'eevdf' | 'scx_simple';
  readonly from: 'fork' | 'boot';
  readonly kind: Disturbance;
}

/** All that a machine can be compared by: after its fork point, and from power-on. */
export interface Bits {
  readonly ended: string;
  /** Hash of the executed blocks, their number and the instructions of each vCPU, since the fork point; as text. */
  readonly hash: string;
  /** SHA-256 of every byte that the guest sent. */
  readonly transcript: string;
  /** Times, exit status and switches of the program, as the guest sent them. */
  readonly result: string;
}

export interface Lived extends Bits {
  /** Why it ended otherwise than its guest wished. */
  readonly cause?: string;
  /** How often it was disturbed. */
  readonly events: number;
}

export interface Row {
  readonly trial: Trial;
  readonly lived: Lived;
  /** The parts of `Bits` in which it differs from an undisturbed fork. */
  readonly differs: readonly (keyof Bits)[];
  readonly seconds: number;
}

export interface StormPlan {
  readonly seed: number;
  readonly trials: number;
  /** Nothing begins after so long. */
  readonly forMs: number;
  readonly jobs: number;
  readonly guests: readonly Guest[];
  readonly kinds: readonly Disturbance[];
  readonly signal: AbortSignal;
  /** Runs a trial's machine; undisturbed when `disturb` is absent. */
  readonly run: (trial: Trial, disturb?: Draw) => Promise<Lived>;
  readonly tell: (row: Row, reference: Lived) => Promise<void> | void;
}

/** Trial `index` of a storm: kinds take turns, all else is drawn. */
export function drawTrial(
  { seed, guests, kinds }: Pick<StormPlan, 'seed' | 'guests' | 'kinds'>,
  index: number,
): Trial {
  const draw = new Draw(seed, 'exact', index);
  return {
    index,
    kind: kinds[index % kinds.length] as Disturbance,
    guest: draw.oneOf(guests),
    vcpus: draw.weighted([
      { vcpus: 1, weight: 5 },
      { vcpus: 2, weight: 3 },
      { vcpus: 4, weight: 2 },
    ]).vcpus,
    policy: draw.chance(20) ? 'scx_simple' : 'eevdf',
    from: draw.chance(12) ? 'boot' : 'fork',
  };
}

/** Disturbs machines and compares each with an undisturbed fork of the same guest. Rows are in the order of their ends. */
export async function storm(plan: StormPlan): Promise<Row[]> {
  const rows: Row[] = [];
  const references = new Map<string, Promise<Lived>>();
  const until = performance.now() + plan.forMs;
  let next = 0;
  const reference = (trial: Trial): Promise<Lived> => {
    const key = `${trial.guest.name} ${trial.vcpus} ${trial.policy}`;
    const found = references.get(key) ?? plan.run({ ...trial, from: 'fork' });
    references.set(key, found);
    return found;
  };
  const worker = async () => {
    while (next < plan.trials && performance.now() < until) {
      plan.signal.throwIfAborted();
      const trial = drawTrial(plan, next++);
      const quiet = await reference(trial);
      const began = performance.now();
      const lived = await plan.run(trial, new Draw(plan.seed, 'exact', trial.index, trial.kind.name));
      const seconds = (performance.now() - began) / 1000;
      const row = { trial, lived, differs: differences(lived, quiet), seconds };
      rows.push(row);
      await plan.tell(row, quiet);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: plan.jobs }, worker));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return rows;
}

/** In what two machines differ. One that did not end well is equal to none. */
export function differences(lived: Bits, quiet: Bits): (keyof Bits)[] {
  const parts = ['ended', 'hash', 'transcript', 'result'] as const;
  const found: (keyof Bits)[] = parts.filter((part) => lived[part] !== quiet[part]);
  if (found.length === 0 && lived.ended !== 'done') return ['ended'];
  return found;
}
