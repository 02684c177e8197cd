// SPDX-License-Identifier: Apache-2.0
import { ExitCode } from '../core/errors.ts';
import { describeTrace } from '../trace/describe.ts';
import { readTrace } from '../trace/read-trace.ts';
import type { CommandContext } from './context.ts';
import { alignedTable } from './table.ts';

/** `pmvx trace show FILE`: a trace in words. */
export async function traceShowCommand(file: string, context: CommandContext): Promise<ExitCode> {
  for (const line of describeTrace(await readTrace(file), alignedTable)) context.write(line);
  return ExitCode.ok;
}
