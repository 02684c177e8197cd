// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { canonicalPoint } from '../core/fork-point.ts';
import type { Counterfactual, Machine, Probes, Spec } from '../core/spec.ts';
import type { EngineName } from '../core/trial.ts';
import { memoryInMiB } from './memory.ts';
import { resolveParameters, variantName } from './parameters.ts';
import { canFork, pointsOf } from './point-faults.ts';
import { DEFAULT_MIN_BLOCKS, type RawSpec } from './raw-spec.ts';
import { exactSpeed } from './speed.ts';

/**
 * Fills in all that follows from the rest. Takes a spec without faults; a faulty one is a bug and throws. `engine` replaces the
 * spec's own, and what follows from it but for parameters: their defaults are those of the spec's own engine, so that engines can be compared; an engine without a machine boots, whatever was asked for.
 */
export function normalise(raw: RawSpec, catalog: Catalog, engine: EngineName = raw.machine.engine): Spec {
  return {
    name: raw.name,
    image: raw.image,
    machine: normaliseMachine({ ...raw.machine, engine }),
    policies: raw.policies,
    workloads: raw.workloads.map(({ use, with: given }) => {
      const workload = sure(catalog.workloads.get(use), `workload ${use}`);
      const { params } = resolveParameters(workload, given, raw.machine.engine);
      return { workload: use, variant: variantName(params), params };
    }),
    counterfactual: canFork(engine) ? (raw.counterfactual ?? defaultCounterfactual(engine)) : 'boot',
    points: pointsOf(raw.at).map(canonicalPoint),
    seeds: raw.seeds,
    order: raw.order,
    baseline: raw.baseline,
    ...(raw.probes.length === 0 ? {} : { probes: normaliseProbes(raw) }),
    controls: raw.controls,
    stop: normaliseStop(raw.stop),
  };
}

function normaliseProbes({ probes, probeWindowMs, probeOnMs }: RawSpec): Probes {
  const sets = [...new Set(probes)].sort();
  return { sets, windowMs: probeWindowMs, ...(probeOnMs === 0 ? {} : { onMs: probeOnMs }) };
}

/** Forks are bit for bit what a boot would be on `exact` alone; elsewhere they must be asked for. */
function defaultCounterfactual(engine: EngineName): Counterfactual {
  return engine === 'exact' ? 'fork' : 'boot';
}

function normaliseStop({
  rule,
  width,
  minBlocks,
  policies,
  workloads,
  maxFailures,
}: RawSpec['stop']): Spec['stop'] {
  const bound = maxFailures === undefined ? {} : { maxFailures };
  if (rule === 'fixed') return { rule, ...bound };
  return {
    rule,
    width: sure(width, 'width'),
    minBlocks: minBlocks ?? DEFAULT_MIN_BLOCKS,
    ...(policies === undefined ? {} : { policies }),
    ...(workloads === undefined ? {} : { workloads }),
    ...bound,
  };
}

/** Fills in what follows from the rest of a machine. Takes one without faults. */
export function normaliseMachine({
  engine,
  vcpus,
  memory,
  speed,
  quantum,
  topology,
}: RawSpec['machine']): Machine {
  const { nodes, sockets, threads } = topology;
  return {
    engine,
    vcpus,
    memoryMiB: sure(memoryInMiB(memory), 'memory'),
    speed: speed === 'fastest' ? 1000 / vcpus : sure(exactSpeed(speed, vcpus), 'speed'),
    quantum,
    topology: { nodes, sockets, cores: topology.cores ?? vcpus / (sockets * threads), threads },
  };
}

function sure<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`normalise: ${what} has not been validated`);
  return value;
}
