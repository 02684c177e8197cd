// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const Listed = z.array(
  z.strictObject({
    file: z.string(),
    line: z.string(),
    from: z.string(),
    to: z.string(),
    why: z.string().min(10),
  }),
);
/** A mutant that does what the source does, as somebody found who looked; `line` is the line that it changes. */
export type Equivalent = z.infer<typeof Listed>[number];

export function readEquivalents(path = join(import.meta.dirname, 'equivalent.yaml')): Equivalent[] {
  return Listed.parse(parse(readFileSync(path, 'utf8')) ?? []);
}

export function whyEquivalent(
  list: readonly Equivalent[],
  each: Pick<Equivalent, 'file' | 'line' | 'from' | 'to'>,
): string | undefined {
  return list.find(
    ({ file, line, from, to }) =>
      file === each.file && line === each.line && from === each.from && to === each.to,
  )?.why;
}
