// SPDX-License-Identifier: Apache-2.0
import type { Fault } from '../core/errors.ts';
import { canonicalJson } from '../core/ids.ts';
import type { PlannedTrial, TrialIdentity } from '../core/trial.ts';
import type { TrialRecord } from '../core/trial-record.ts';

const IDENTITY = ['block', 'seed', 'workload', 'variant', 'point', 'policy', 'role'] as const;

/** Names a trial by what it is, whatever its number: the same in every run that plans it. */
export function trialKey(trial: TrialIdentity): string {
  return canonicalJson(IDENTITY.map((name) => trial[name]));
}

/** A trial of a run's plan, in words. */
export function trialWords({ block, workload, variant, point, policy, role }: TrialIdentity): string {
  const at = point === 'quiescent' ? '' : ` from ${point}`;
  return `${workload} ${variant} under ${policy}${at}${role === 'aa' ? ' (a/a)' : ''} in block ${block}`;
}

/** Where the record of a trial is, in words; undefined when there is none. */
export type RecordedAt = (trial: string) => string | undefined;

/** The trials of one plan, against which the records of its run are held. */
export class PlannedRecords {
  readonly #where: string;
  readonly #planned: ReadonlyMap<string, PlannedTrial>;

  /** `where` names the plan in messages. */
  constructor(trials: readonly PlannedTrial[], where: string) {
    this.#where = where;
    this.#planned = new Map(trials.map((trial) => [trial.trial, trial]));
  }

  has(record: TrialRecord): boolean {
    const planned = this.#planned.get(record.trial);
    return planned !== undefined && IDENTITY.every((name) => planned[name] === record[name]);
  }

  /** Why a record that is not of this plan is none. Where its cell is recorded under the cell's own number, both places are named. */
  faultOf(record: TrialRecord, recordedAt: RecordedAt = () => undefined): Omit<Fault, 'where'> {
    const planned = this.#planned.get(record.trial);
    const own = this.#sameCell(record);
    const place = own && recordedAt(own.trial);
    if (own !== undefined && own.trial !== record.trial) {
      const there = place === undefined ? '' : `, which is recorded on ${place}`;
      return {
        what: `trial ${record.trial} is ${trialWords(record)} once more: by ${this.#where} that is trial ${own.trial}${there}`,
        next: 'Remove the record that is not of this run: which of two results counts cannot be chosen afterwards',
      };
    }
    if (planned === undefined) {
      return {
        what: `trial ${record.trial} (${trialWords(record)}) is not in ${this.#where}`,
        next: 'Remove the line: it is of another run. Runs of one spec are put together by pmvx merge',
      };
    }
    const seen = IDENTITY.filter((name) => planned[name] !== record[name]).map(
      (name) => `${name} ${record[name]}, planned ${planned[name]}`,
    );
    return {
      what: `trial ${record.trial} is not the one of ${this.#where}: ${seen.join('; ')}`,
      next: 'Remove the line, and resume the run to measure the trial again',
    };
  }

  /** The planned trial of the record's cell, found by what it is but for its seed. Only asked once something is wrong. */
  #sameCell(record: TrialRecord): PlannedTrial | undefined {
    return this.#planned
      .values()
      .find((trial) => IDENTITY.every((name) => name === 'seed' || trial[name] === record[name]));
  }
}

/** Why `trials` are no plan: two of one number, or of one cell. Each is told once. */
export function planFaults(trials: readonly PlannedTrial[], where: string): Fault[] {
  const seen = new Map<string, number>();
  return trials.flatMap((trial, at) => {
    for (const key of [trial.trial, trialKey({ ...trial, seed: 0 })]) {
      const earlier = seen.get(key);
      if (earlier !== undefined) {
        const first = trials[earlier] as PlannedTrial;
        return [
          {
            where,
            what: `trials[${earlier}] (${first.trial}) and trials[${at}] (${trial.trial}) are both ${
              key === trial.trial ? `trial ${key}` : trialWords(trial)
            }`,
            next: 'Restore the file from a copy, or start the run anew',
          },
        ];
      }
      seen.set(key, at);
    }
    return [];
  });
}
