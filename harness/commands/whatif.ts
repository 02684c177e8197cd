// SPDX-License-Identifier: Apache-2.0
import type { ExitCode } from '../core/errors.ts';
import { exitCodeOf } from '../run/exit-code.ts';
import { askWhatIf } from '../whatif/ask.ts';
import { formatAnswer } from '../whatif/format-answer.ts';
import { withBaseline } from '../whatif/question.ts';
import type { CommandContext } from './context.ts';
import { askInPlace, type ForkOptions, type OpenFork, openFork, readQuestion } from './fork-lab.ts';
import { alignedTable } from './table.ts';

/** `pmvx whatif SPEC`: what each policy would have done from the very same state. */
export async function whatIfCommand(
  options: ForkOptions,
  context: CommandContext,
  open: OpenFork = openFork,
): Promise<ExitCode> {
  const question = withBaseline(await readQuestion(options, context));
  const { answer, records } = await askInPlace(question, options, context, open, (lab, keep) =>
    askWhatIf(question, lab, context.signal, keep),
  );
  if (options.json) context.write(JSON.stringify(answer, null, 2));
  else for (const line of ['', ...formatAnswer(answer, alignedTable)]) context.write(line);
  return exitCodeOf('complete', records);
}
