// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { canonicalPoint, type ForkPoint, forkPointMs, isForkPoint } from '../core/fork-point.ts';
import type { EngineName } from '../core/trial.ts';
import { shown } from '../core/zod-faults.ts';
import type { SpecFault } from './fault.ts';
import { isMap } from './is-map.ts';
import { RawMachine } from './raw-spec.ts';
import { soundFields } from './sound.ts';

/** Whether an engine has a machine that can be frozen and continued. */
export function canFork(engine: EngineName): boolean {
  return engine === 'exact' || engine === 'tcg' || engine === 'kvm';
}

/** Faults of `counterfactual`: a fork needs a machine. */
export function counterfactualFaults(spec: Readonly<Record<string, unknown>>): SpecFault[] {
  if (spec.counterfactual !== 'fork') return [];
  const { engine } = soundFields(RawMachine, spec.machine ?? {});
  if (engine === undefined || canFork(engine)) return [];
  const what = `counterfactual: fork needs a machine, and ${engine} has none`;
  return [{ path: ['counterfactual'], what, next: 'Remove it, or set engine: exact.' }];
}

/** Faults of `at`: each point once, and none so late that every run of some workload would have been stopped before. */
export function pointFaults(
  spec: Readonly<Record<string, unknown>>,
  catalog: Pick<Catalog, 'workloads'>,
): SpecFault[] {
  const { at } = spec;
  if (at === undefined) return [];
  const shortest = shortestDeadline(spec.workloads, catalog);
  const first = new Map<ForkPoint, string>();
  return pointsOf(at).flatMap((written, index): SpecFault[] => {
    if (typeof written !== 'string' || !isForkPoint(written)) return [];
    const [path, name] = Array.isArray(at) ? [['at', index], `at[${index}]`] : [['at'], 'at'];
    const point = canonicalPoint(written);
    const earlier = first.get(point);
    if (earlier !== undefined) {
      const what = `${name} repeats ${shown(point)}, already at ${earlier}`;
      return [{ path, what, next: 'Remove it; seeds.count repeats trials.' }];
    }
    first.set(point, name);
    const seconds = point === 'warm' ? 0 : (forkPointMs(point, 0) ?? 0) / 1000;
    if (shortest === undefined || seconds < shortest.seconds) return [];
    const what = `${name} must be before the deadline of ${shortest.workload}, ${shortest.seconds} s, got ${shown(written)}`;
    return [{ path, what, next: 'A run that has not ended by its deadline is stopped there.' }];
  });
}

/** `at` as a list. */
export function pointsOf<T>(at: T | readonly T[]): readonly T[] {
  return Array.isArray(at) ? at : [at as T];
}

/** Of the workloads that a spec uses, the one that must end first. */
function shortestDeadline(
  workloads: unknown,
  catalog: Pick<Catalog, 'workloads'>,
): { readonly workload: string; readonly seconds: number } | undefined {
  if (!Array.isArray(workloads)) return undefined;
  return workloads
    .flatMap((entry: unknown) => {
      const workload =
        isMap(entry) && typeof entry.use === 'string' ? catalog.workloads.get(entry.use) : undefined;
      return workload === undefined
        ? []
        : [{ workload: workload.id, seconds: workload.definition.deadline_s }];
    })
    .sort((a, b) => a.seconds - b.seconds)[0];
}
