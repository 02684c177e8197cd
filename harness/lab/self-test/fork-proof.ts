// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Orders } from '../engine.ts';
import { forkEngine } from '../fork/fork-engine.ts';
import type { ForkLab } from '../fork/fork-point.ts';
import { exactMachine, labOrders, virtualSeconds } from '../lab-machine.ts';
import type { HostPlay } from '../machine-process.ts';
import type { Lived, Measured } from './report.ts';
import { requireShares, untested } from './unit-work.ts';

/** One machine sleeps this long, the other `IDLE_SECONDS` longer. */
const NAP_SECONDS = 1;
const IDLE_SECONDS = 10;

interface Place {
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** A fork of the trial that `orders` boot elsewhere: what it did after the fork point. */
export async function forkOf(
  lab: ForkLab,
  orders: Orders,
  vcpus: number,
  place: Place,
  play: HostPlay = {},
): Promise<Lived> {
  let hash = '';
  const onHash = (text: string) => {
    hash = text.trim();
  };
  const outcome = await forkEngine(lab, { onHash, play }).runTrial(
    orders,
    exactMachine(vcpus),
    join(place.folder, 'fork'),
    place.signal,
  );
  requireShares(outcome, vcpus, lab.image);
  return { hash: lastPart('fork', hash), transcript: outcome.transcript };
}

/** How much longer a fork takes on the host that sleeps longer in the guest. */
export async function idleForks(lab: ForkLab, vcpus: number, place: Place): Promise<Measured['idle']> {
  const nap = async (seconds: number) => {
    const orders = labOrders(`sleep-${seconds}`, ['/bin/sleep', String(seconds)]);
    const folder = join(place.folder, orders.trial);
    const outcome = await forkEngine(lab).runTrial(orders, exactMachine(vcpus), folder, place.signal);
    const slept = virtualSeconds(outcome);
    if (slept === undefined) throw untested(outcome, 'a fork', 'having slept', lab.image);
    return { slept, hostSeconds: outcome.hostSeconds };
  };
  const [short, long] = [await nap(NAP_SECONDS), await nap(NAP_SECONDS + IDLE_SECONDS)];
  return {
    vcpus,
    virtualSeconds: long.slept - short.slept,
    hostSeconds: long.hostSeconds - short.hostSeconds,
  };
}

/** The hash of what machine `name` executed after its last fork mark, as text. Two machines without one are not equal. */
export function lastPart(name: string, hash: string): string {
  try {
    const { parts } = JSON.parse(hash) as { readonly parts: readonly unknown[] };
    return JSON.stringify(parts.at(-1)) ?? `${name}: no hash`;
  } catch {
    return `${name}: no hash`;
  }
}
