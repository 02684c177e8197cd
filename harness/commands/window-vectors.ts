// SPDX-License-Identifier: Apache-2.0
import { joinWindows } from '../../analysis/features/join-windows.ts';
import { countedOf } from '../../analysis/features/window-vector.ts';
import { workloadVector } from '../../analysis/features/workload-vector.ts';
import { evenly } from '../../analysis/policy-map/store/evenly.ts';
import type { CompletedTrial } from '../core/trial.ts';
import { readProbeWindows } from '../store/probe-windows.ts';
import type { StoredRun } from '../store/run-folder.ts';

/** Windows are learnt at about the length that the runtime's have, and no more of a trial than these, spread evenly. */
const WINDOW_MS = 1000;
const MOST = 4;

/** Vectors of windows of a trial, where they are kept: the runtime sees windows, and a phase may look unlike the whole. */
export async function windowVectors(
  run: StoredRun,
  record: CompletedTrial,
): Promise<readonly { readonly window: number; readonly values: readonly number[] }[]> {
  const { vcpus } = run.spec.machine;
  const windows = (await readProbeWindows(run, record)) ?? [];
  const joined = joinWindows(
    windows.map((totals) => countedOf(totals, vcpus)),
    WINDOW_MS,
  );
  // A single one is nearly the whole run, and says what that says.
  if (joined.length < 2) return [];
  const known = joined.flatMap(({ first, counted }) => {
    const vector = workloadVector(counted);
    return vector.kind === 'vector' ? [{ window: first, values: vector.values }] : [];
  });
  return evenly(known, MOST);
}
