// SPDX-License-Identifier: Apache-2.0
import { FEATURES } from '../../analysis/features/definition.ts';
import type { Example } from '../../analysis/policy-map/choose/training.ts';
import { ablateFeatures, formatAblations } from '../../analysis/policy-map/evaluate/ablation.ts';
import { attainable, formatAttainable } from '../../analysis/policy-map/evaluate/attainable.ts';
import { blockNoise } from '../../analysis/policy-map/evaluate/block-noise.ts';
import { compareMethods } from '../../analysis/policy-map/evaluate/compare-methods.ts';
import { formatComparison } from '../../analysis/policy-map/evaluate/evaluation-markdown.ts';
import { describeMachine, type Objective } from '../../analysis/policy-map/evidence.ts';
import { readMap } from '../../analysis/policy-map/open-map.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { openStoredRun } from './learnt-run.ts';
import { examplesByMachine } from './map-examples.ts';
import { parseObjective } from './query.ts';

export interface EvaluateArgs {
  readonly map: string;
  readonly objective?: string;
  readonly json?: boolean;
  /** Also what each feature does for it. */
  readonly ablate?: boolean;
  /** Runs of which the noise of a block is taken, for what is attainable. */
  readonly noise?: readonly string[];
}

/** `pmvx map evaluate MAP`: how good recommendations are for workloads that were left out, by each method. */
export async function mapEvaluateCommand(args: EvaluateArgs, context: CommandContext): Promise<ExitCode> {
  const objective = parseObjective(args.objective ?? 'primary');
  const noise = args.noise && (await noiseOf(args.noise, objective, context));
  const map = await readMap(args.map);
  try {
    const machines = await examplesByMachine(map, objective);
    const judged = machines.filter(({ examples }) => workloadsOf(examples) > 2);
    if (judged.length === 0) {
      throw new PmvxError(ExitCode.usage, {
        where: args.map,
        what: 'no machine has three workloads with vectors and this objective',
        next: 'Learn more runs; pmvx map show says what there is',
      });
    }
    for (const { machine, examples } of judged) {
      const comparisons = compareMethods(examples);
      const reach = noise && attainable(examples, noise);
      const names = FEATURES.map(({ name }) => name);
      const ablations = args.ablate === true ? ablateFeatures(examples, names) : undefined;
      if (args.json === true) {
        context.write(
          JSON.stringify({ v: 1, machine, objective, comparisons, attainable: reach, ablations }, null, 2),
        );
        continue;
      }
      const lines = [describeMachine(machine), '', ...formatComparison(comparisons)];
      if (reach !== undefined) lines.push('', formatAttainable(reach));
      if (ablations !== undefined) lines.push('', ...formatAblations(ablations));
      for (const line of lines) context.write(line);
    }
    return ExitCode.ok;
  } finally {
    await map.close();
  }
}

async function noiseOf(names: readonly string[], objective: Objective, context: CommandContext) {
  const runs = await Promise.all(names.map((name) => openStoredRun(name, context)));
  const noise = blockNoise(
    runs.flatMap(({ records }) => records),
    objective,
  );
  if (noise.size > 0) return noise;
  throw new PmvxError(ExitCode.usage, {
    where: '--noise',
    what: 'these runs have neither null controls nor two blocks with this objective',
    next: 'Give runs of specs with controls: [aa]',
  });
}

function workloadsOf(examples: readonly Example[]): number {
  return new Set(examples.map(({ workload }) => workload)).size;
}
