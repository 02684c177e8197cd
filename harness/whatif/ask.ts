// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../core/trial.ts';
import { type Answer, answerOf } from './answer.ts';
import { forkTrials } from './fork-trials.ts';
import type { ForkingLab } from './forking-lab.ts';
import { type Question, withBaseline } from './question.ts';

/**
 * question -> forks -> answer. Prints nothing; consoles are in the lab's folder. `keep` receives the records, as a run would write
 * them. Throws the signal's reason when stopped, and PmvxError when snapshots cannot be kept.
 */
export async function askWhatIf(
  question: Question,
  lab: ForkingLab,
  signal: AbortSignal,
  keep: (records: readonly TrialRecord[]) => void = () => undefined,
): Promise<Answer> {
  const whole = withBaseline(question);
  const trials = await forkTrials(whole, lab, signal);
  keep(trials.map(({ record }) => record));
  return answerOf(whole, trials);
}
