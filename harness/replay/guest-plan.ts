// SPDX-License-Identifier: Apache-2.0

import type { Catalog } from '../core/catalog.ts';
import { commandFor } from '../core/command.ts';
import type { Seed } from '../core/seed.ts';
import type { Act, Day } from './day.ts';

/** Who lives beside the phases, and what it is asked. */
export interface Helper {
  readonly argv: readonly string[];
  /** Where it answers, once it is ready. */
  readonly socket: string;
  /** Files that are told at the end. */
  readonly reports: readonly string[];
  /** A line that is sent to the socket before a phase begins, by the phase's name. */
  readonly asks?: Readonly<Record<string, string>>;
}

/** Stands for the round's seed in an argument; no argument has it by itself. */
const SEED = 1_111_111_111 as Seed;

/** A day as the guest's program reads it (guest/plan.c), and the files of the user's that its rounds read, each with its place there. */
export interface GuestPlan {
  readonly text: string;
  /** `value` is that of the parameter: path and digest. */
  readonly files: readonly { readonly path: string; readonly value: string }[];
}

/** The same day and helper give the same plan. */
export function guestPlan(day: Day, catalog: Pick<Catalog, 'workloads'>, helper?: Helper): GuestPlan {
  const lines: string[] = [];
  const places = new Map<string, string>();
  if (day.order === 'shuffled') lines.push('shuffled');
  // Buckets of distributions are most of what programs print, and nothing here reads them.
  lines.push('drop _hist ');
  if (helper !== undefined) {
    lines.push('helper', ...helper.argv.map(argument), `socket ${encoded(helper.socket)}`);
    lines.push(...helper.reports.map((path) => `report ${encoded(path)}`));
  }
  for (const phase of day.phases) {
    lines.push(`phase ${encoded(phase.name)}`);
    lines.push(...phase.before.flatMap(actLines));
    const ask = helper?.asks?.[phase.name];
    if (ask !== undefined) lines.push(`ask ${encoded(ask)}`);
    for (const part of phase.parts) {
      const workload = catalog.workloads.get(part.workload);
      if (workload === undefined) throw new Error(`the day names ${part.workload}, which the catalog lacks`);
      lines.push('lane');
      for (const params of part.rounds) {
        const { run, files = [] } = commandFor(workload, params, SEED);
        // Two workloads may want two files in one place.
        const moved = files.map(({ path, value }) => {
          const to = places.get(value) ?? `/run/day-file-${places.size}`;
          places.set(value, to);
          return { from: path, to };
        });
        const placed = run.map((text) =>
          moved.reduce((done, { from, to }) => done.replaceAll(from, to), text),
        );
        lines.push('round', ...placed.map(argument));
      }
    }
  }
  const files = [...places].map(([value, path]) => ({ path, value }));
  return { text: `${lines.join('\n')}\n`, files };
}

function actLines(act: Act): string[] {
  const words = 'clock' in act ? ['clock', String(act.clock)] : ['kill-helper'];
  return ['act', ...words.map(argument)];
}

function argument(text: string): string {
  return `arg ${encoded(text).replaceAll(String(SEED), '%S')}`;
}

/** %XX for what would end a line or begin such a code. */
function encoded(text: string): string {
  return text.replace(
    /[%\n\r]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}
