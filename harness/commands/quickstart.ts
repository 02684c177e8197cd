// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { ExitCode } from '../core/errors.ts';
import type { TrialState } from '../core/trial.ts';
import type { CommandContext } from './context.ts';
import { runCommand } from './run.ts';

const RECIPE = 'quick';
const SPEC = 'harness/experiments/quickstart.yaml';

export interface QuickstartOptions {
  /** Taken for the launcher's sake: nothing here asks a question. */
  readonly yes?: true;
  readonly jobs?: number;
  readonly failOn?: readonly TrialState[];
}

/** The three things that quickstart is made of; each says how it ended. */
export interface QuickstartSteps {
  /** Builds the image unless it is there and whole. */
  ensureImage(recipe: string): Promise<ExitCode>;
  /** Proves it, unless that has been done. */
  selfTest(recipe: string): Promise<ExitCode>;
  run(spec: string): Promise<ExitCode>;
}

/** From nothing to a table: the image, its proof, the first experiment. Stops at the first step that fails. */
export async function quickstartCommand(
  options: QuickstartOptions,
  context: CommandContext,
  steps: QuickstartSteps = realSteps(options, context),
): Promise<ExitCode> {
  context.write(`1/3  image "${RECIPE}"`);
  const built = await steps.ensureImage(RECIPE);
  if (built !== ExitCode.ok) return built;
  context.write('2/3  self-test: the same bits twice, equal time for every vCPU');
  const tested = await steps.selfTest(RECIPE);
  if (tested !== ExitCode.ok) return tested;
  context.write(`3/3  experiment ${SPEC}`);
  const ended = await steps.run(join(context.root, SPEC));
  if (ended !== ExitCode.interrupted) for (const line of NEXT) context.write(line);
  return ended;
}

const NEXT = [
  '',
  'What next:',
  `  ./pmvx run ${SPEC}      again: the same spec gives the same numbers`,
  `  cp ${SPEC} mine.yaml    change it, then ./pmvx validate mine.yaml and ./pmvx run mine.yaml`,
  '  ./pmvx list policies        what can be compared; ./pmvx list workloads: on what',
  '  ./pmvx list runs            what has been measured',
];

function realSteps(options: QuickstartOptions, context: CommandContext): QuickstartSteps {
  return {
    ensureImage: async (recipe) => (await import('./image.ts')).imageBuildCommand({ recipe }, context),
    selfTest: async (recipe) => (await import('./image.ts')).imageSelftestCommand({ recipe }, context),
    run: (spec) => {
      const { yes: _, ...given } = options;
      return runCommand({ spec, ...given }, context);
    },
  };
}
