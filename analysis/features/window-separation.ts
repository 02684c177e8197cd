// SPDX-License-Identifier: Apache-2.0

import type { Counted } from './counted.ts';
import { joinWindows } from './join-windows.ts';
import { type CosineSummary, cosine, type LabelledVector, summaryOf } from './separation.ts';
import { workloadVector } from './workload-vector.ts';

/** A trial whose probes were read in between. */
export interface WindowedTrial extends LabelledVector {
  /** Trials that no other one has. */
  readonly trial: string;
  readonly windows: readonly Counted[];
  /** Vectors that a map learns of it besides that of the whole run. */
  readonly learnt: readonly (readonly number[])[];
}

/** How windows of one length look beside whole runs. */
export interface WindowRow {
  /** Length that was asked for, ms. */
  readonly ms: number;
  readonly windows: number;
  /** Share of windows from which nothing can be concluded. */
  readonly unknown: number;
  /** Cosines of known windows with their own trial's whole run, and with whole runs of other workloads. */
  readonly own?: CosineSummary;
  readonly others?: CosineSummary;
  /** Share of known windows whose nearest whole run of another trial is of their own workload; of those that have one. */
  readonly right?: number;
  /** The same where the other trials' windows are known as a map learns them, too. */
  readonly rightWithWindows?: number;
}

/** Lengths of the runtime's windows, ms. */
export const WINDOW_LENGTHS = [250, 500, 1000, 2500, 5000];

/**
 * Whether the runtime, which sees windows, sees what learning saw, which is whole runs: for each length, how near windows stay to their own run, how
 * near they come to other workloads', and whose run is nearest.
 */
export function windowRows(trials: readonly WindowedTrial[], lengths = WINDOW_LENGTHS): WindowRow[] {
  return lengths.map((ms) => {
    const [own, others]: [number[], number[]] = [[], []];
    let [all, known, judged, right, rightWithWindows] = [0, 0, 0, 0, 0];
    for (const trial of trials) {
      const rest = trials.filter((other) => other.trial !== trial.trial);
      const hasOther = rest.some(({ workload }) => workload === trial.workload);
      for (const { counted } of joinWindows(trial.windows, ms)) {
        all++;
        const vector = workloadVector(counted);
        if (vector.kind === 'unknown') continue;
        known++;
        const window = { ...trial, values: vector.values };
        own.push(cosine(window, trial));
        for (const other of rest) {
          if (other.workload !== trial.workload) others.push(cosine(window, other));
        }
        if (!hasOther) continue;
        judged++;
        if (nearestOf(window, rest) === trial.workload) right++;
        if (nearestOf(window, rest.flatMap(withLearnt)) === trial.workload) rightWithWindows++;
      }
    }
    const [ownSummary, othersSummary] = [summaryOf(own), summaryOf(others)];
    return {
      ms,
      windows: all,
      unknown: all === 0 ? 0 : (all - known) / all,
      ...(ownSummary === undefined ? {} : { own: ownSummary }),
      ...(othersSummary === undefined ? {} : { others: othersSummary }),
      ...(judged === 0 ? {} : { right: right / judged, rightWithWindows: rightWithWindows / judged }),
    };
  });
}

/** The workload whose vector is nearest; undefined without any. */
function nearestOf(vector: LabelledVector, among: readonly LabelledVector[]): string | undefined {
  let best: { readonly workload: string; readonly cosine: number } | undefined;
  for (const other of among) {
    const near = cosine(vector, other);
    if (near > (best?.cosine ?? Number.NEGATIVE_INFINITY)) best = { workload: other.workload, cosine: near };
  }
  return best?.workload;
}

function withLearnt(trial: WindowedTrial): LabelledVector[] {
  return [trial, ...trial.learnt.map((values) => ({ ...trial, values }))];
}
