// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import { exitCodeOf } from '../run/exit-code.ts';
import { findDivergence } from '../whatif/diverge.ts';
import { formatDivergence } from '../whatif/format-divergence.ts';
import type { Question } from '../whatif/question.ts';
import type { CommandContext } from './context.ts';
import { askInPlace, type ForkOptions, type OpenFork, openFork, readQuestion } from './fork-lab.ts';
import { alignedTable } from './table.ts';

/**
 * `pmvx diverge SPEC`: the first context switch at which the futures of two policies differ. Two forks of one policy that differ
 * mean that the machine is not exact, which is the image's exit code.
 */
export async function divergeCommand(
  options: ForkOptions,
  context: CommandContext,
  open: OpenFork = openFork,
): Promise<ExitCode> {
  const question = await readQuestion(options, context);
  requireTwo(question);
  const { answer, records } = await askInPlace(question, options, context, open, (lab, keep) =>
    findDivergence(question, lab, context.signal, keep),
  );
  if (options.json) context.write(JSON.stringify(answer, null, 2));
  else for (const line of ['', ...formatDivergence(answer, alignedTable)]) context.write(line);
  const [a, b] = question.policies;
  if (a === b && !answer.same) {
    throw new PmvxError(ExitCode.image, {
      where: question.image,
      what: `two forks of ${a} from one state differ, so this lab is not exact and no figure of it can be trusted`,
      next: `Try pmvx image selftest ${question.image} --force, then pmvx image build ${question.image} --force`,
    });
  }
  return exitCodeOf('complete', records);
}

function requireTwo({ policies }: Question): void {
  if (policies.length === 2) return;
  throw new PmvxError(ExitCode.usage, {
    where: '--policies',
    what: `a divergence is between two policies, got ${policies.length}: ${policies.join(', ')}`,
    next: 'Write --policies eevdf,scx_simple; the same one twice proves that a fork repeats itself.',
  });
}
