// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Draw } from '../draw.ts';
import type { Kind, Outcome, Subject } from './kind.ts';

/** A row of the campaign's table. */
export interface Row extends Outcome {
  readonly round: number;
  readonly kind: string;
  readonly subject: Subject;
  /** Host seconds of the whole round. */
  readonly seconds: number;
}

export interface CampaignPlan {
  readonly seed: number;
  /** Faults to be injected, by subject. */
  readonly faults: Readonly<Record<Subject, number>>;
  readonly kinds: readonly Kind[];
  /** Where rounds are; each in a folder of its own that is removed when nothing was wrong with it. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly tell: (row: Row) => void;
}

/** Rounds of one fault, or a few that belong together, until each subject has had its number. What is chosen follows from the seed. */
export async function campaign(plan: CampaignPlan): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [subject, wanted] of Object.entries(plan.faults) as [Subject, number][]) {
    const kinds = plan.kinds.filter((kind) => kind.subject === subject && kind.obstacle?.() === undefined);
    let injected = 0;
    // A round that could not even begin injects nothing, and is told of.
    for (let round = 0; injected < wanted && kinds.length > 0 && round < wanted + 10; round++) {
      plan.signal.throwIfAborted();
      const kind = new Draw(plan.seed, subject, round, 'kind').weighted(kinds);
      const row = await oneRound(plan, kind, rows.length, new Draw(plan.seed, subject, round, kind.name));
      injected += row.faults;
      rows.push(row);
      plan.tell(row);
    }
  }
  return rows;
}

async function oneRound(
  { folder, signal }: CampaignPlan,
  kind: Kind,
  round: number,
  draw: Draw,
): Promise<Row> {
  const own = join(folder, `round-${String(round).padStart(4, '0')}`);
  await mkdir(own);
  const began = performance.now();
  const outcome = await kind.run({ folder: own, draw }).catch((error: unknown): Outcome => {
    signal.throwIfAborted();
    const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { what: 'the round itself failed', ...NOTHING, fault: words.slice(0, 1000) };
  });
  if (isSound(outcome)) await rm(own, { recursive: true, force: true });
  const seconds = (performance.now() - began) / 1000;
  return { round, kind: kind.name, subject: kind.subject, ...outcome, seconds };
}

const NOTHING = { faults: 0, resumes: 0, lost: 0, changed: 0, orphans: 0, leaked: [] };

/** Whether a disturbed piece of work came to what an undisturbed one does, and left nothing. */
export function isSound({ lost, changed, orphans, leaked, fault }: Outcome): boolean {
  return lost + changed + orphans + leaked.length === 0 && fault === undefined;
}
