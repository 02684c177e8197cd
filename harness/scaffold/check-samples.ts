// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { extractMetrics } from '../core/extract.ts';
import type { Workload } from '../core/workload.ts';
import { type Check, checked } from './check.ts';

/** Whether a workload's samples of real output read as the files beside them say; good and bad ones must be there. */
export async function checkSamples(root: string, { id, definition }: Workload): Promise<Check[]> {
  const folder = join(root, 'workloads', id, 'samples');
  const names = (await readdir(folder).catch(() => []))
    .filter((name) => name.endsWith('.txt'))
    .map((name) => name.slice(0, -'.txt'.length))
    .sort();
  const checks: Check[] = [];
  for (const name of names) {
    const output = await readFile(join(folder, `${name}.txt`), 'utf8');
    const expected = await readFile(join(folder, `${name}.json`), 'utf8')
      .then((text): unknown => JSON.parse(text))
      .catch(() => undefined);
    const read = extractMetrics(definition, output);
    const seen = read.ok
      ? Object.fromEntries(read.metrics.map((metric) => [metric.name, metric.value]))
      : { reason: read.reason };
    const wanted = name.startsWith('bad-') ? !read.ok : read.ok;
    const equal = wanted && isDeepStrictEqual(seen, expected);
    const fault = `read ${JSON.stringify(seen)}, expected ${JSON.stringify(expected) ?? `${name}.json`}`;
    checks.push(checked(`sample ${name}`, equal ? [] : [fault]));
  }
  const bad = names.filter((name) => name.startsWith('bad-'));
  const none = `in workloads/${id}/samples`;
  return [
    ...checks,
    checked('there are samples of good and of bad output', [
      ...(bad.length < names.length ? [] : [`no sample of good output ${none}`]),
      ...(bad.length > 0 ? [] : [`no sample of bad output (bad-*.txt) ${none}`]),
    ]),
  ];
}
