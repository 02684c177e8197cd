// SPDX-License-Identifier: Apache-2.0
import type { TableInput } from '../../analysis/tables/outcome-table.ts';
import type { CommandContext } from './context.ts';
import { wantsColour } from './run-watcher.ts';

/** Prints the table of a run: every workload x every policy against the baseline. */
export async function printTable(input: TableInput, context: CommandContext): Promise<void> {
  const [{ outcomeTable }, { formatTextTable }] = await Promise.all([
    import('../../analysis/tables/outcome-table.ts'),
    import('../../analysis/tables/text-table.ts'),
  ]);
  context.write('');
  for (const line of formatTextTable(outcomeTable(input), { colour: wantsColour(context) }))
    context.write(line);
  context.write('');
}
