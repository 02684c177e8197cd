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
 * What is not as it was, in words: a rate that is more than `factor` times outside all that are known, or a share of the processors' time
 * that is. Undefined: nothing.
 */
export function changeOf(
  known: readonly Pulse[],
  now: Pulse,
  factor: number,
  cpus: number,
): string | undefined {
  if (known.length === 0) return undefined;
  const floor = FLOOR * cpus;
  for (const [name, rate] of Object.entries(now.rates)) {
    const rates = known.map(({ rates: all }) => all[name] ?? 0);
    const [least, most] = [Math.min(...rates), Math.max(...rates)];
    if (rate + floor > factor * (most + floor)) return `${perSecond(rate)} ${name}, were ${perSecond(most)}`;
    if (factor * (rate + floor) < least + floor)
      return `${perSecond(rate)} ${name}, were ${perSecond(least)}`;
  }
  for (const [name, share] of Object.entries(now.shares)) {
    const shares = known.map(({ shares: all }) => all[name] ?? 0);
    const [least, most] = [Math.min(...shares), Math.max(...shares)];
    if (share > most + SHARE) return `processors ${percent(share)} ${name}, were ${percent(most)}`;
    if (share < least - SHARE) return `processors ${percent(share)} ${name}, were ${percent(least)}`;
  }
  return undefined;
}

function perSecond(rate: number): string {
  return `${rate.toFixed(0)}/s`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
