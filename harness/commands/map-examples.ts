// SPDX-License-Identifier: Apache-2.0
import { type Example, exampleOf } from '../../analysis/policy-map/choose/training.ts';
import type { Machine, Objective } from '../../analysis/policy-map/evidence.ts';
import type { PolicyMapReader } from '../../analysis/policy-map/policy-map.ts';
import { BASELINE } from '../../analysis/policy-map/run-evidence.ts';
import { canonicalJson } from '../core/ids.ts';

/** What a map knows of one machine. */
export interface MachineExamples {
  readonly machine: Machine;
  readonly examples: readonly Example[];
}

/** The situations of a map that have a vector under EEVDF and a cost for `objective`, by machine: a figure of one says nothing of another. */
export async function examplesByMachine(
  map: PolicyMapReader,
  objective: Objective,
): Promise<readonly MachineExamples[]> {
  const machines = new Map<string, { machine: Machine; examples: Example[] }>();
  for await (const situation of map.situations()) {
    const key = canonicalJson(situation.machine);
    const known = machines.get(key) ?? { machine: situation.machine, examples: [] };
    machines.set(key, known);
    const example = exampleOf(situation, objective, BASELINE);
    const measured = [...example.costs.values()].some(({ logCost }) => logCost !== undefined);
    if (measured && example.vectors.length > 0) known.examples.push(example);
  }
  return [...machines.values()];
}
