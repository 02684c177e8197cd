// SPDX-License-Identifier: Apache-2.0
import type { PlannedTrial } from '../core/trial.ts';
import type { Plan } from './plan.ts';

const COLUMNS = ['trial', 'block', 'seed', 'workload', 'variant', 'point', 'policy', 'role'] as const;
const NUMERIC: ReadonlySet<string> = new Set(['block', 'seed']);

/** A plan as an aligned table, one line a trial, without a newline at the end. */
export function formatPlan(plan: Plan): string {
  const widths = COLUMNS.map((column) => column.length);
  for (const trial of plan.trials) {
    for (const [index, column] of COLUMNS.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, String(trial[column]).length);
    }
  }
  const line = (cell: (column: (typeof COLUMNS)[number]) => string): string =>
    COLUMNS.map((column, index) => aligned(cell(column), widths[index] ?? 0, NUMERIC.has(column)))
      .join('  ')
      .trimEnd();
  const rows = plan.trials.map((trial: PlannedTrial) => line((column) => String(trial[column])));
  return [line((column) => column), ...rows].join('\n');
}

/** A plan as JSON with one trial a line, without a newline at the end. */
export function formatPlanJson(plan: Plan): string {
  const trials = plan.trials.map((trial) => `  ${JSON.stringify(trial)}`).join(',\n');
  return `{"digest":${JSON.stringify(plan.digest)},"trials":[\n${trials}\n]}`;
}

function aligned(cell: string, width: number, numeric: boolean): string {
  return numeric ? cell.padStart(width) : cell.padEnd(width);
}
