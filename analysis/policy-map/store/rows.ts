// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../../../harness/core/fork-point.ts';
import type { TrialState } from '../../../harness/core/trial.ts';
import { type Machine, OBJECTIVES, type Observation, type Outcome } from '../evidence.ts';
import type { SituationEvidence } from '../policy-map.ts';
import type { PolicySummary } from '../summary.ts';

/** What a situation's row gives, whichever database keeps it. */
interface SituationColumns {
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
}

export function situationOf(
  { workload, variant, point }: SituationColumns,
  machine: Machine,
  policies: readonly PolicySummary[],
): SituationEvidence {
  return { machine, workload, variant, point: point as ForkPoint, policies };
}

/** What `facts` counts, and where. */
const COUNTED = {
  runs: 'run',
  policies: 'policy',
  situations: 'situation',
  unplaced: 'situation where id not in (select situation from observation)',
  observations: 'observation',
  outcomes: 'outcome',
} as const;

export type Counts = Readonly<Record<keyof typeof COUNTED, number>>;

/** One statement that counts everything; `number` is what the database has to be told so that a count is a number. */
export function countsSql(number = ''): string {
  const counts = Object.entries(COUNTED).map(
    ([name, table]) => `(select count(*)${number} from ${table}) as ${name}`,
  );
  return `select ${counts.join(', ')}`;
}

/** What observations and outcomes share, as both databases give it back. */
interface TrialColumns {
  readonly run: string;
  readonly trial: string;
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
  readonly policy: string;
  readonly at: string;
}

export interface ObservationColumns extends TrialColumns {
  readonly window: number;
}

export interface OutcomeColumns extends TrialColumns {
  readonly baseline: string | null;
  readonly block: number;
  readonly seed: number;
  readonly state: string;
  readonly failed: number | boolean;
  readonly primary: number | null;
  readonly time: number | null;
  readonly tail: number | null;
  readonly energy: number | null;
}

export function observationOf(row: ObservationColumns, vector: Float32Array): Observation {
  return { kind: 'observation', ...trialOf(row), window: row.window, vector: Array.from(vector) };
}

export function outcomeOf(row: OutcomeColumns): Outcome {
  const costs = OBJECTIVES.flatMap((objective) => {
    const value = row[objective];
    return value === null ? [] : [[objective, value] as const];
  });
  return {
    kind: 'outcome',
    ...trialOf(row),
    ...(row.baseline === null ? {} : { baseline: row.baseline }),
    block: row.block,
    seed: row.seed,
    state: row.state as TrialState,
    failed: Boolean(row.failed),
    logCosts: Object.fromEntries(costs),
  };
}

function trialOf({ run, trial, workload, variant, point, policy, at }: TrialColumns) {
  return { run, trial, workload, variant, point: point as ForkPoint, policy, at };
}
