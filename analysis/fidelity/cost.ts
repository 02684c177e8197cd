// SPDX-License-Identifier: Apache-2.0
import type { EngineName } from '../../harness/core/trial.ts';
import { median } from '../stats/median.ts';
import { type EngineRun, ranEngines } from './engine-run.ts';

/** What an engine's trials cost the host. */
export interface EngineCost {
  readonly engine: EngineName;
  readonly planned: number;
  readonly recorded: number;
  readonly completed: number;
  /** Host time of a trial from its start to its end, seconds; absent without trials. */
  readonly medianSeconds?: number;
  readonly longestSeconds?: number;
  /** Over all trials, as if one had run after the other. */
  readonly totalSeconds: number;
}

export function engineCosts(runs: readonly EngineRun[]): EngineCost[] {
  return ranEngines(runs).map(({ engine, planned, records }) => {
    const seconds = records.map(({ host }) => host.seconds);
    const middle = median(seconds);
    return {
      engine,
      planned: planned.length,
      recorded: records.length,
      completed: records.filter(({ state }) => state === 'completed').length,
      ...(middle === undefined ? {} : { medianSeconds: middle, longestSeconds: Math.max(...seconds) }),
      totalSeconds: seconds.reduce((sum, value) => sum + value, 0),
    };
  });
}
