// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from './engine.ts';

const POWERCAP = '/sys/class/powercap';

/** Energy counter of one processor package. */
interface PackageCounter {
  readonly microjoules: number;
  /** The counter starts again at 0 after so much. */
  readonly range: number;
}

/** Counters by zone, such as `intel-rapl:0`. */
export type EnergyReading = ReadonlyMap<string, PackageCounter>;

/**
 * Reads the counters of all processor packages (RAPL, which the kernel also names so on AMD). Undefined where there are none, or where only root may
 * read them and we are not: missing is missing. Parts of a package (cores, memory) are left out, or they would count twice.
 *
 * Source: the kernel's Documentation/power/powercap/powercap.rst.
 */
export async function readPackageEnergy(folder = POWERCAP): Promise<EnergyReading | undefined> {
  const zones = (await readdir(folder).catch(() => [])).filter((name) => /^intel-rapl:\d+$/.test(name));
  const counters = await Promise.all(zones.sort().map((zone) => readZone(join(folder, zone))));
  const packages = counters.flatMap((counter, at) =>
    counter === undefined ? [] : [[zones[at] as string, counter] as const],
  );
  return packages.length === 0 ? undefined : new Map(packages);
}

async function readZone(folder: string): Promise<PackageCounter | undefined> {
  const read = (name: string) => readFile(join(folder, name), 'utf8').catch(() => '');
  const [name, energy, most] = await Promise.all(['name', 'energy_uj', 'max_energy_range_uj'].map(read));
  if (name === undefined || !name.startsWith('package-') || energy === '' || most === '') return undefined;
  const counter = { microjoules: Number(energy), range: Number(most) };
  return Number.isFinite(counter.microjoules) && counter.range > 0 ? counter : undefined;
}

/** Joules between two readings; undefined when they are not of the same packages. A counter that went round once is seen; twice is not, which takes minutes at any power. */
export function joulesBetween(before: EnergyReading, after: EnergyReading): number | undefined {
  if (before.size !== after.size) return undefined;
  let sum = 0;
  for (const [zone, { microjoules }] of after) {
    const earlier = before.get(zone);
    if (earlier === undefined) return undefined;
    const difference = microjoules - earlier.microjoules;
    sum += difference < 0 ? difference + earlier.range : difference;
  }
  return sum / 1e6;
}

/**
 * The engine, with what each trial took of the host's packages. Only of trials that ran alone: the counters are the host's, and cannot be shared out.
 * For engines whose work is done by the host's processors as such; on the others energy says nothing about a policy.
 */
export function withPackageEnergy(engine: Engine, read: () => Promise<EnergyReading | undefined>): Engine {
  let running = 0;
  /** Trials that began so far: one that began while another ran tells that one, too. */
  let begun = 0;
  return {
    name: engine.name,
    async runTrial(orders, machine, folder, signal) {
      running++;
      const mine = ++begun;
      let alone = running === 1;
      try {
        const before = alone ? await read() : undefined;
        const outcome = await engine.runTrial(orders, machine, folder, signal);
        alone &&= begun === mine;
        const after = alone && before !== undefined ? await read() : undefined;
        const joules = before && after && joulesBetween(before, after);
        return joules === undefined ? outcome : { ...outcome, joules };
      } finally {
        running--;
      }
    },
  };
}
