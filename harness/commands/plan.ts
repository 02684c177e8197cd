// SPDX-License-Identifier: Apache-2.0
import { ExitCode } from '../core/errors.ts';
import { formatPlan, formatPlanJson } from '../plan/format-plan.ts';
import { planTrials } from '../plan/plan.ts';
import { formatSummary, summarisePlan } from '../plan/summary.ts';
import { readSpec } from '../spec/read-spec.ts';
import type { Command } from './context.ts';

/** `pmvx plan SPEC`: prints the trials in order and runs nothing. The same spec prints the same bytes. */
export const planCommand: Command<{ readonly spec: string; readonly json?: boolean }> = async (
  { spec: path, json = false },
  context,
) => {
  const catalog = await context.catalog();
  const spec = await readSpec(path, catalog);
  const plan = planTrials(spec);
  if (json) {
    context.write(formatPlanJson(plan));
    return ExitCode.ok;
  }
  context.write(formatPlan(plan));
  context.write('');
  const summary = summarisePlan(spec, plan, catalog.workloads);
  context.write(`plan ${plan.digest} of ${spec.name}: ${formatSummary(summary, spec.machine.engine)}`);
  return ExitCode.ok;
};
