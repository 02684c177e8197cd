// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Catalog } from '../core/catalog.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import type { Engine } from '../lab/engine.ts';
import type { Arm } from './arms.ts';
import type { Day } from './day.ts';
import type { DayInputs } from './day-inputs.ts';
import { foresee } from './oracle.ts';

const LOOK_MS = 200;

export interface DayEngineParts {
  readonly day: Day;
  readonly arms: readonly Arm[];
  readonly trials: readonly PlannedTrial[];
  readonly inputs: DayInputs;
  readonly catalog: Pick<Catalog, 'workloads'>;
  readonly log: { readonly records: readonly Pick<TrialRecord, 'block' | 'policy'>[] };
  /** Those of the log with what guests printed. */
  readonly whole: () => Promise<readonly TrialRecord[]>;
}

/**
 * An engine that hands each guest of a replay what its arm needs. The oracle's guest waits until the other arms of its block are recorded:
 * they come before it in the plan, so they are running or done.
 */
export function dayEngine(engine: Engine, parts: DayEngineParts): Engine {
  const { day, arms, trials, inputs, catalog, log, whole } = parts;
  return {
    name: engine.name,
    async runTrial(orders, machine, folder, signal) {
      const planned = trials.find(({ trial }) => trial === orders.trial);
      const arm = arms.find(({ id }) => id === orders.policy.id);
      if (planned === undefined || arm === undefined)
        throw new Error(`trial ${orders.trial} is none of the replay`);
      const others = trials.filter(({ block, policy }) => block === planned.block && policy !== 'oracle');
      let switches: Readonly<Record<string, string>> | undefined;
      if (arm.kind === 'oracle') {
        const isOther = ({ block, policy }: Pick<TrialRecord, 'block' | 'policy'>) =>
          block === planned.block && policy !== 'oracle';
        while (log.records.filter(isOther).length < others.length)
          await delay(LOOK_MS, undefined, { signal });
        switches = foresee(day, arms, (await whole()).filter(isOther), catalog)?.switches;
      }
      return engine.runTrial(
        { ...orders, files: [...inputs.filesOf(arm, switches)] },
        machine,
        folder,
        signal,
      );
    },
  };
}
