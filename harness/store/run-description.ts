// SPDX-License-Identifier: Apache-2.0
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial } from '../core/trial.ts';
import { stableJson } from './atomic-write.ts';
import { storedPlan, storedSpec } from './older-runs.ts';
import { planFaults } from './planned-records.ts';
import type { Provenance } from './provenance.ts';
import {
  changedFault,
  changedFiles,
  DESCRIBED,
  type DescribedTexts,
  readSums,
  readTexts,
  SUMS_FILE,
} from './run-sums.ts';

/** The part of a plan that the store relies on; whatever else a plan has is kept as well. */
export interface StoredPlan {
  readonly trials: readonly PlannedTrial[];
  /** Names the spec that it follows from; absent in tests. */
  readonly digest?: string;
  /** Which part of a larger plan it is. */
  readonly shard?: { readonly index: number; readonly of: number };
}

export interface RunDescription {
  readonly spec: Spec;
  readonly plan: StoredPlan;
  readonly provenance: Provenance;
}

export function textsOf({
  spec,
  plan,
}: Pick<RunDescription, 'spec' | 'plan'>): Pick<DescribedTexts, 'spec' | 'plan'> {
  return { spec: stableJson(spec), plan: stableJson(plan) };
}

/** Reads what describes a run; throws when a file is damaged or not what was written. `notices` says what nobody vouches for. */
export async function readDescription(
  folder: string,
): Promise<RunDescription & { readonly notices: string[] }> {
  await requireRun(folder);
  const texts = await readTexts(folder);
  const sums = await readSums(folder);
  const [changed] = changedFiles(sums, texts);
  if (changed !== undefined) throw changedFault(join(folder, DESCRIBED[changed]));
  const read = <T>(name: keyof DescribedTexts) => parseJson<T>(texts[name], join(folder, DESCRIBED[name]));
  const notices =
    sums === 'damaged'
      ? [
          `${join(folder, SUMS_FILE)}: damaged, so nothing vouches for spec, plan and provenance; resuming the run makes it again`,
        ]
      : [];
  const plan = storedPlan(read<StoredPlan>('plan'));
  const faults = planFaults(plan.trials, join(folder, DESCRIBED.plan));
  if (faults.length > 0) throw new PmvxError(ExitCode.failure, faults.slice(0, 5));
  return {
    spec: storedSpec(read<Spec>('spec')),
    plan,
    provenance: read<Provenance>('provenance'),
    notices,
  };
}

/** `provenance.json` was written last, so without it this is no run, whatever else is there. */
export async function requireRun(folder: string): Promise<void> {
  try {
    await access(join(folder, DESCRIBED.provenance), constants.R_OK);
  } catch (error) {
    throw new PmvxError(
      ExitCode.usage,
      {
        where: folder,
        what: `not a run: ${DESCRIBED.provenance} cannot be read`,
        next: 'pmvx list runs shows what there is',
      },
      { cause: error },
    );
  }
}

/** JSON of a file of a run. */
export function parseJson<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new PmvxError(
      ExitCode.failure,
      { where: path, what: 'not valid JSON', next: 'Restore the file from a copy, or start the run anew' },
      { cause: error },
    );
  }
}
