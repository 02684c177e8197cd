// SPDX-License-Identifier: Apache-2.0
// Started by trial-log.test.ts, which kills it in the middle: appends records and prints each number once it is
// on disk.
import { writeSync } from 'node:fs';
import { sampleCompleted } from './sample-records.ts';
import { TrialLog } from './trial-log.ts';

const log = await TrialLog.open(process.argv[2] as string);
for (let n = 0; ; n++) {
  const trial = String(n).padStart(6, '0');
  await log.append(sampleCompleted({ trial, output: 'x'.repeat(n % 5000) }));
  writeSync(1, `${trial}\n`);
}
