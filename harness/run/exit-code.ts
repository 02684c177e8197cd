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

/** Ok when every trial has ended, none in trouble, and at least one was measured. */
export function exitCodeOf(end: RunEnd, records: readonly Pick<TrialRecord, 'state'>[]): ExitCode {
  if (end === 'interrupted') return ExitCode.interrupted;
  const troubled = records.some(({ state }) => TROUBLE.includes(state));
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

/** `44 completed, 4 refused`. */
export function countsOf(records: readonly Pick<TrialRecord, 'state'>[]): string {
  return countStates(records)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}
