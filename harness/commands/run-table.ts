// SPDX-License-Identifier: Apache-2.0
import { withEnergy } from '../../analysis/objectives/energy.ts';
import { objectiveRows } from '../../analysis/objectives/objective-rows.ts';
import { outcomeTable } from '../../analysis/tables/outcome-table.ts';
import type { TableInput } from '../../analysis/tables/outcome-types.ts';
import { formatTextTable } from '../../analysis/tables/text-table.ts';
import type { CommandContext } from './context.ts';
import { writeReport } from './run-report.ts';
import { terminalWidth, wantsColour } from './run-watcher.ts';

/** Prints the table of a run and writes it, with its figure, beside the records; gives the names of the files. */
export async function reportRun(
  input: TableInput,
  folder: string,
  context: CommandContext,
): Promise<readonly string[]> {
  const table = outcomeTable(input);
  context.write('');
  for (const line of formatTextTable(table, {
    colour: wantsColour(context),
    width: terminalWidth(context),
  }))
    context.write(line);
  context.write('');
  const objectives = objectiveRows({
    ...input,
    records: withEnergy(input.records, input.spec.machine.vcpus),
  });
  return writeReport(table, folder, { objectives });
}
