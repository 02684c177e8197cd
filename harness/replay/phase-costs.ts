// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { extractMetrics } from '../core/extract.ts';
import type { WorkloadDefinition } from '../core/workload.ts';
import type { Day, Part } from './day.ts';
import type { LivedDay, LivedRound } from './day-output.ts';

/** What a phase cost under an arm, part by part, in whatever unit the part's metric has; lower is better. */
export type PhaseCosts = readonly number[];

/**
 * Cost of each phase by name: of each part the mean over its rounds of what the metric says, as a time or such: of a metric that is better
 * when higher, its inverse. Means of costs, so that a round that took ten times as long weighs ten times as much.
 * Throws RangeError when a round failed or did not say its metric.
 */
export function phaseCosts(
  day: Day,
  lived: LivedDay,
  catalog: Pick<Catalog, 'workloads'>,
): ReadonlyMap<string, PhaseCosts> {
  return new Map(
    day.phases.map(({ name, parts }) => {
      const phase = lived.phases.find((each) => each.name === name);
      if (phase === undefined) throw new RangeError(`phase ${name} was not lived`);
      return [
        name,
        parts.map((part, at) => {
          const costs = roundCosts(part, phase.parts[at] ?? [], catalog, name);
          return costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
        }),
      ];
    }),
  );
}

/** Cost of each round of a part, in order. */
export function roundCosts(
  part: Part,
  rounds: readonly LivedRound[],
  catalog: Pick<Catalog, 'workloads'>,
  phase: string,
): readonly number[] {
  const definition = catalog.workloads.get(part.workload)?.definition;
  if (definition === undefined) throw new Error(`the catalog lacks ${part.workload}`);
  if (rounds.length !== part.rounds.length)
    throw new RangeError(`phase ${phase}: ${rounds.length} of ${part.rounds.length} rounds were lived`);
  return rounds.map((round) => {
    const where = `phase ${phase}, round ${round.round} of ${part.workload}`;
    if (round.exit !== 0) throw new RangeError(`${where} ended with exit status ${round.exit}`);
    const read = extractMetrics(onlyValue(definition, part.metric), round.output);
    if (!read.ok) throw new RangeError(`${where}: ${read.reason}`);
    const [metric] = read.metrics;
    if (metric === undefined || !(metric.value > 0)) throw new RangeError(`${where}: ${part.metric} is 0`);
    return metric.direction === 'lower' ? metric.value : 1 / metric.value;
  });
}

/** One metric of a workload, without its distribution: that was left out of the output. */
function onlyValue(definition: WorkloadDefinition, name: string): WorkloadDefinition {
  const { histogram: _histogram, ...metric } = definition.metrics[
    name
  ] as WorkloadDefinition['metrics'][string];
  return { ...definition, metrics: { [name]: metric } };
}

/** Ratio of two phases' costs: geometric mean over parts. */
export function costRatio(costs: PhaseCosts, base: PhaseCosts): number {
  const logs = costs.map((cost, at) => Math.log(cost / (base[at] as number)));
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}
