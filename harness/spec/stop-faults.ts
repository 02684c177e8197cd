// SPDX-License-Identifier: Apache-2.0
import { didYouMean } from '../core/nearest.ts';
import { shown } from '../core/zod-faults.ts';
import type { SpecFault } from './fault.ts';
import { isMap } from './is-map.ts';
import { DEFAULT_BLOCKS, DEFAULT_MIN_BLOCKS } from './raw-spec.ts';

const OF_WIDTH = ['width', 'minBlocks', 'policies', 'workloads'] as const;

/** Faults of `stop`: what belongs to the rule `width` and to no other, and names that the spec does not have. */
export function stopFaults({
  stop,
  seeds,
  policies,
  workloads,
}: Readonly<Record<string, unknown>>): SpecFault[] {
  if (!isMap(stop)) return [];
  if (stop.rule !== 'width') {
    const stray = OF_WIDTH.filter((key) => stop[key] !== undefined);
    return stray.map((key) => ({
      path: ['stop', key],
      part: 'key',
      what: `stop.${key} is of rule: width, and the rule is ${shown(stop.rule ?? 'fixed')}`,
      next: 'Set rule: width, or remove it.',
    }));
  }
  const faults: SpecFault[] = [];
  if (stop.width === undefined) {
    const next = 'Write width: 1.1 to go on until high / low of every interval is at most that.';
    faults.push({ path: ['stop'], what: 'stop with rule: width needs a width', next });
  }
  const count = isMap(seeds) && typeof seeds.count === 'number' ? seeds.count : DEFAULT_BLOCKS;
  const least = typeof stop.minBlocks === 'number' ? stop.minBlocks : DEFAULT_MIN_BLOCKS;
  if (least > count) {
    const what = `stop looks first after ${least} blocks, and seeds.count allows ${count}`;
    faults.push({
      path: ['stop'],
      what,
      next: 'Raise seeds.count, which is the bound, or lower stop.minBlocks.',
    });
  }
  const uses = Array.isArray(workloads)
    ? workloads.map((entry) => (isMap(entry) ? entry.use : undefined))
    : [];
  return [
    ...faults,
    ...nameFaults('policies', stop.policies, Array.isArray(policies) ? policies : []),
    ...nameFaults('workloads', stop.workloads, uses),
  ];
}

function nameFaults(key: 'policies' | 'workloads', named: unknown, all: readonly unknown[]): SpecFault[] {
  if (!Array.isArray(named)) return [];
  const known = all.filter((name) => typeof name === 'string');
  return named.flatMap((name: unknown, index) =>
    typeof name !== 'string' || known.includes(name)
      ? []
      : [
          {
            path: ['stop', key, index],
            what: `stop.${key}[${index}] must be one of ${key}, got ${shown(name)}`,
            next: didYouMean(name, known),
          },
        ],
  );
}
