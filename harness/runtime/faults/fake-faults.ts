// SPDX-License-Identifier: Apache-2.0
// node harness/runtime/faults/fake-faults.ts [COUNT] [SEED]: random faults on a daemon whose kernel is a stand-in; 200 when not told.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFakeSite } from './fake/site.ts';
import { type Injection, injectFaults } from './inject.ts';
import { summaryLines } from './summary.ts';

const [count = '200', seed = '1'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'pmvx-faults-'));
const site = await openFakeSite(folder);
try {
  const say = ({ number, kind, under, recoveredMs, homeMs, faults }: Injection) =>
    console.log(
      `${String(number).padStart(4)}  ${kind.padEnd(22)} under ${under.padEnd(8)} ${recoveredMs === undefined ? faults.join('; ') : `${recoveredMs.toFixed(0)} ms`}${homeMs === undefined ? '' : `, home after ${homeMs.toFixed(0)} ms`}`,
    );
  const injections = await injectFaults(site, {
    seed: Number(seed),
    count: Number(count),
    patienceMs: 30_000,
    say,
  });
  for (const line of summaryLines(injections)) console.log(line);
  process.exitCode = injections.every(({ recoveredMs }) => recoveredMs !== undefined) ? 0 : 1;
} finally {
  await site.close();
}
