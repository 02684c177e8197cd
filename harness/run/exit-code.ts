// SPDX-License-Identifier: Apache-2.0
import { ExitCode } from '../core/errors.ts';
import { TRIAL_STATES, type TrialRecord, type TrialState } from '../core/trial.ts';
import type { RunEnd } from './controller.ts';

/** What went wrong with the machine or the workload; a refused or ejected policy is a finding instead. */
const TROUBLE: readonly TrialState[] = ['failed', 'timed-out', 'crashed'];

/** Trials by state, without the states that did not occur. */
export function countStates(records: readonly Pick<TrialRecord, 'state'>[]): [TrialState, number][] {
  return TRIAL_STATES.map((state): [TrialState, number] => [
    state,
    records.filter((record) => record.state === state).length,
  ]).filter(([, count]) => count > 0);
}

/** Ends of trials that a run can be told to fail on. */
export const FAIL_ON_STATES = TRIAL_STATES.filter((state) => state !== 'completed');

/** Ok when every trial has ended, none in trouble or in a state of `failOn`, and at least one was measured. */
export function exitCodeOf(
  end: RunEnd,
  records: readonly Pick<TrialRecord, 'state'>[],
  failOn: readonly TrialState[] = [],
): ExitCode {
  if (end === 'interrupted') return ExitCode.interrupted;
  const troubled = records.some(({ state }) => TROUBLE.includes(state) || failOn.includes(state));
  const measured = records.some(({ state }) => state === 'completed');
  return (end === 'complete' || end === 'enough') && measured && !troubled
    ? ExitCode.ok
    : ExitCode.incomplete;
}

/** One line on what keeps a run from exit code 0; undefined when nothing does, or when it can go on. */
export function troubleLine(end: RunEnd, records: readonly Pick<TrialRecord, 'state'>[]): string | undefined {
  if (end === 'interrupted') return undefined;
  const trouble = countStates(records).filter(([state]) => TROUBLE.includes(state));
  const counts = trouble.map(([state, count]) => `${count} ${state}`).join(', ');
  if (end === 'too-many-failures') {
    return `stopped: more trials than the spec's stop.maxFailures did not complete (${countsOf(records)})`;
  }
  if (end === 'machines-lost') {
    return (
      'not finished: machines never ran, or were ended from outside, twice each, which says nothing of their trials. ' +
      'Mend what the lines above name (when the kernel does it for want of memory: fewer --jobs), then go on with --resume'
    );
  }
  if (counts !== '')
    return `${counts} of ${records.length} trials; trials.jsonl keeps the reason and output of each`;
  if (records.some(({ state }) => state === 'completed')) return undefined;
  return `no trial completed (${countsOf(records)}): there is nothing to compare`;
}

/** One line on what `--fail-on` makes a failure of; undefined when nothing ended so. */
export function failOnLine(
  records: readonly Pick<TrialRecord, 'state'>[],
  failOn: readonly TrialState[] = [],
): string | undefined {
  const counts = countStates(records).filter(([state]) => failOn.includes(state));
  if (counts.length === 0) return undefined;
  const words = counts.map(([state, count]) => `${count} ${state}`).join(', ');
  return `${words} of ${records.length} trials: --fail-on makes that exit code ${ExitCode.incomplete}`;
}

/** `44 completed, 4 refused`. */
export function countsOf(records: readonly Pick<TrialRecord, 'state'>[]): string {
  return countStates(records)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}
