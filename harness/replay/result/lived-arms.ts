// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../../core/catalog.ts';
import type { TrialRecord } from '../../core/trial.ts';
import type { Arm } from '../arms.ts';
import type { Day } from '../day.ts';
import { type LivedDay, readDayOutput } from '../day-output.ts';
import { type PhaseCosts, phaseCosts } from '../phase-costs.ts';
import { reactionsOf } from './daemon-facts.ts';

/** A day that an arm lived to its end in one block. */
export interface LivedArm {
  readonly arm: string;
  readonly block: number;
  readonly lived: LivedDay;
  readonly costs: ReadonlyMap<string, PhaseCosts>;
}

/** All days that were lived to their end, and how the others ended. */
export interface LivedArms {
  readonly days: readonly LivedArm[];
  readonly lost: readonly { readonly arm: string; readonly block: number; readonly how: string }[];
}

export function livedArms(
  day: Day,
  arms: readonly Arm[],
  records: readonly TrialRecord[],
  catalog: Pick<Catalog, 'workloads'>,
): LivedArms {
  const days: LivedArm[] = [];
  const lost: LivedArms['lost'][number][] = [];
  const statics = new Set(arms.flatMap(({ kind, id }) => (kind === 'static' ? [id] : [])));
  const own = records.filter(({ policy }) => arms.some(({ id }) => id === policy));
  for (const record of own.toSorted((a, b) => a.block - b.block || a.trial.localeCompare(b.trial))) {
    const { policy: arm, block } = record;
    if (record.state !== 'completed') {
      lost.push({ arm, block, how: `${record.state}: ${record.reason}` });
      continue;
    }
    try {
      const lived = readDayOutput(record.output ?? '');
      const own = { arm, block, lived, costs: phaseCosts(day, lived, catalog) };
      const left = statics.has(arm) ? phaseElsewhere(own) : undefined;
      if (left === undefined) days.push(own);
      else lost.push({ arm, block, how: `in ${left} another policy was in effect` });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      lost.push({ arm, block, how: error.message });
    }
  }
  return { days, lost };
}

/** The first phase in which a static arm was not where the daemon was told to be; undefined too where the policy was attached for it. */
function phaseElsewhere(day: LivedArm): string | undefined {
  if (day.lived.helper === undefined) return undefined;
  return reactionsOf(day).find(({ from, to }) => from !== day.arm || to !== day.arm)?.phase;
}

/** The day of an arm in a block. */
export function dayOf({ days }: LivedArms, arm: string, block: number): LivedArm | undefined {
  return days.find((each) => each.arm === arm && each.block === block);
}
