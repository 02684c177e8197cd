// SPDX-License-Identifier: Apache-2.0
import { type Example, exampleOf } from '../../analysis/policy-map/choose/training.ts';
import { compareMethods } from '../../analysis/policy-map/evaluate/compare-methods.ts';
import { formatComparison } from '../../analysis/policy-map/evaluate/evaluation-markdown.ts';
import { describeMachine, type Machine } from '../../analysis/policy-map/evidence.ts';
import { readMap } from '../../analysis/policy-map/open-map.ts';
import { BASELINE } from '../../analysis/policy-map/run-evidence.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { canonicalJson } from '../core/ids.ts';
import type { CommandContext } from './context.ts';
import { parseObjective } from './query.ts';

export interface EvaluateArgs {
  readonly map: string;
  readonly objective?: string;
  readonly json?: boolean;
}

/** `pmvx map evaluate MAP`: how good recommendations are for workloads that were left out, by each method. */
export async function mapEvaluateCommand(args: EvaluateArgs, context: CommandContext): Promise<ExitCode> {
  const objective = parseObjective(args.objective ?? 'primary');
  const map = await readMap(args.map);
  try {
    const machines = new Map<string, { machine: Machine; examples: Example[] }>();
    for await (const situation of map.situations()) {
      const key = canonicalJson(situation.machine);
      const known = machines.get(key) ?? { machine: situation.machine, examples: [] };
      machines.set(key, known);
      const example = exampleOf(situation, objective, BASELINE);
      const measured = [...example.costs.values()].some(({ logCost }) => logCost !== undefined);
      if (measured && example.vectors.length > 0) known.examples.push(example);
    }
    const judged = [...machines.values()].filter(({ examples }) => workloadsOf(examples) > 2);
    if (judged.length === 0) {
      throw new PmvxError(ExitCode.usage, {
        where: args.map,
        what: 'no machine has three workloads with vectors and this objective',
        next: 'Learn more runs; pmvx map show says what there is',
      });
    }
    for (const { machine, examples } of judged) {
      const comparisons = compareMethods(examples);
      if (args.json === true)
        context.write(JSON.stringify({ v: 1, machine, objective, comparisons }, null, 2));
      else
        for (const line of [describeMachine(machine), '', ...formatComparison(comparisons)])
          context.write(line);
    }
    return ExitCode.ok;
  } finally {
    await map.close();
  }
}

function workloadsOf(examples: readonly Example[]): number {
  return new Set(examples.map(({ workload }) => workload)).size;
}
