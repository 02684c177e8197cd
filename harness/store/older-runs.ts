// SPDX-License-Identifier: Apache-2.0
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial } from '../core/trial.ts';

/** Files of runs from before there were fork points lack some members; all that was then is what these say. */
type OlderSpec = Omit<Spec, 'counterfactual' | 'points' | 'machine'> &
  Partial<Pick<Spec, 'counterfactual' | 'points'>> & {
    readonly machine: Omit<Spec['machine'], 'topology'> & {
      readonly topology: Omit<Spec['machine']['topology'], 'nodes'> & { readonly nodes?: number };
    };
  };
type OlderTrial = Omit<PlannedTrial, 'point'> & Partial<Pick<PlannedTrial, 'point'>>;

/** A spec as any version stored it, complete. */
export function storedSpec(spec: OlderSpec): Spec {
  const { machine } = spec;
  return {
    ...spec,
    machine: { ...machine, topology: { ...machine.topology, nodes: machine.topology.nodes ?? 1 } },
    counterfactual: spec.counterfactual ?? 'boot',
    points: spec.points ?? ['quiescent'],
  };
}

/** A plan as any version stored it, complete. */
export function storedPlan<T extends { readonly trials: readonly OlderTrial[] }>(plan: T) {
  return {
    ...plan,
    trials: plan.trials.map((trial) => ({ ...trial, point: trial.point ?? ('quiescent' as const) })),
  };
}
