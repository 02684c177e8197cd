// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import { planTrials } from '../plan/plan.ts';
import { formatSummary, summarisePlan } from '../plan/summary.ts';
import { readSpec } from '../spec/read-spec.ts';
import type { Command } from './context.ts';

/**
 * `pmvx validate SPEC`: says that a spec is valid and how much it would run, or throws with every fault. With `json`,
 * prints `{file, valid, faults}` in both cases.
 */
export const validateCommand: Command<{ readonly spec: string; readonly json?: boolean }> = async (
  { spec: path, json = false },
  context,
) => {
  // Outside the try: a broken catalog is not the spec's fault.
  const catalog = await context.catalog();
  try {
    const spec = await readSpec(path, catalog);
    const summary = summarisePlan(spec, planTrials(spec), catalog.workloads);
    if (json) context.write(JSON.stringify({ file: path, valid: true, faults: [] }));
    else context.write(`${path}: valid, ${formatSummary(summary, spec.machine.engine)}`);
    return ExitCode.ok;
  } catch (error) {
    if (!json || !(error instanceof PmvxError)) throw error;
    context.write(JSON.stringify({ file: path, valid: false, faults: error.faults }));
    return error.code;
  }
};
