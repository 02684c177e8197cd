// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../../../core/catalog.ts';
import type { Day } from '../../../replay/day.ts';
import { parseDay } from '../../../replay/read-day.ts';
import { ACCEPTED } from '../fuzz.ts';
import { filesAt } from '../seeds.ts';
import { Finding, type Target } from '../target.ts';
import { refusalOf } from '../yaml-faults.ts';

/** Days as YAML: what `replay` reads. */
export function dayTarget(root: string, catalog: Catalog): Target {
  return {
    name: 'day',
    about: 'days (YAML)',
    mostBytes: 16_384,
    seeds: filesAt(root, 'harness/replay/days/*.yaml', 8192),
    words: [...catalog.workloads.keys(), ...KEYS],
    read(input) {
      let day: Day;
      try {
        day = parseDay(input.toString('utf8'), 'day.yaml', catalog);
      } catch (error) {
        return refusalOf(error, 'day.yaml');
      }
      for (const { name, parts } of day.phases) {
        if (parts.length === 0) throw new Finding(`nothing runs in ${name}`);
        for (const { rounds } of parts) if (rounds.length === 0) throw new Finding(`no round in ${name}`);
      }
      return ACCEPTED;
    },
  };
}

const KEYS = [
  ...[
    'name: ',
    'image: ',
    'machine: ',
    'order: ',
    'seed: ',
    'phases: ',
    'parts: ',
    'before: ',
    'use: ',
    'with: ',
  ],
  ...[
    'rounds: ',
    'metric: ',
    'ramp: ',
    'clock: ',
    'kill: daemon',
    'autotune: ',
    'missingProbes: ',
    'madeUp: ',
  ],
  ...['windowMs: ', 'probeMs: ', 'guard: ', 'dwell: ', 'rest: '],
];
