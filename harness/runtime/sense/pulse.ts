// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** What the kernel counts whether anybody looks or not: events since boot, and how its processors spent their time (ticks). */
export interface PulseTotals {
  readonly events: Readonly<Record<string, number>>;
  readonly ticks: Readonly<Record<string, number>>;
}

/** How the machine went for a while, as far as that costs nothing to know: events a second, shares of the processors' time (0 to 1). */
export interface Pulse {
  readonly rates: Readonly<Record<string, number>>;
  readonly shares: Readonly<Record<string, number>>;
}

/** Two rates below this, for each processor and second, are no different: an idle machine does as much. */
const FLOOR = 50;
/** Shares of the processors' time this far apart are different. */
const SHARE = 0.15;
/** Soft interrupts that tell of a load, by their place in the line of /proc/stat (include/linux/interrupt.h): its first number is their sum. */
const SOFT = { sent: 3, received: 4, block: 5 };

/** Reads `/proc/stat` (Documentation/filesystems/proc.rst); undefined where there is none. */
export function readPulse(path = '/proc/stat'): PulseTotals | undefined {
  try {
    return pulseTotals(readFileSync(path, 'latin1'));
  } catch {
    return undefined;
  }
}

export function pulseTotals(stat: string): PulseTotals | undefined {
  const line = (name: string) => {
    const [, numbers] = new RegExp(`^${name} +(.*)$`, 'm').exec(stat) ?? [];
    return numbers?.split(' ').map(Number) ?? [];
  };
  const [user = Number.NaN, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft = 0] = line('cpu');
  const [switches] = line('ctxt');
  const [forks] = line('processes');
  if (switches === undefined || forks === undefined || Number.isNaN(user)) return undefined;
  const softirq = line('softirq');
  return {
    events: {
      'context switches': switches,
      forks,
      'packets sent': softirq[SOFT.sent] ?? 0,
      'packets received': softirq[SOFT.received] ?? 0,
      'block requests': softirq[SOFT.block] ?? 0,
    },
    ticks: { user: user + nice, kernel: system + irq + soft, idle, 'waiting for disks': waiting },
  };
}

/** Of `ns`; undefined when that is no time, or the counts went back. */
export function pulseBetween(before: PulseTotals, after: PulseTotals, ns: number): Pulse | undefined {
  const grown = (a: PulseTotals['events'], b: PulseTotals['events']) =>
    Object.entries(b).map(([name, count]) => [name, count - (a[name] ?? 0)] as const);
  const events = grown(before.events, after.events);
  const ticks = grown(before.ticks, after.ticks);
  const all = ticks.reduce((sum, [, count]) => sum + count, 0);
  if (!(ns > 0) || all < 0 || events.some(([, count]) => count < 0)) return undefined;
  return {
    rates: Object.fromEntries(events.map(([name, count]) => [name, (count * 1e9) / ns])),
    shares: Object.fromEntries(ticks.map(([name, count]) => [name, all === 0 ? 0 : count / all])),
  };
}

/**
 * What is not as it was, in words: no known pulse has all rates within `factor` and all shares of the processors' time within some per cent; told
 * is what parts the one that comes nearest. Undefined: it is as it was, or nothing is known.
 */
export function changeOf(
  known: readonly Pulse[],
  now: Pulse,
  factor: number,
  cpus: number,
): string | undefined {
  const nearest = known
    .map((each) => farthest(each, now, factor, FLOOR * cpus))
    .reduce<Parting | undefined>((least, each) => (least && least.by <= each.by ? least : each), undefined);
  return nearest === undefined || nearest.by <= 1 ? undefined : nearest.words;
}

/** In what two pulses differ most: more than 1 is too much. */
interface Parting {
  readonly by: number;
  readonly words: string;
}

function farthest(was: Pulse, now: Pulse, factor: number, floor: number): Parting {
  const rates = Object.entries(now.rates).map(([name, rate]) => {
    const before = was.rates[name] ?? 0;
    const by = Math.abs(Math.log((rate + floor) / (before + floor))) / Math.log(factor);
    return { by, words: `${perSecond(rate)} ${name}, were ${perSecond(before)}` };
  });
  const shares = Object.entries(now.shares).map(([name, share]) => {
    const before = was.shares[name] ?? 0;
    const by = Math.abs(share - before) / SHARE;
    return { by, words: `processors ${percent(share)} ${name}, were ${percent(before)}` };
  });
  return [...rates, ...shares].reduce((most, each) => (each.by > most.by ? each : most), {
    by: 0,
    words: '',
  });
}

function perSecond(rate: number): string {
  return `${rate.toFixed(0)}/s`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
