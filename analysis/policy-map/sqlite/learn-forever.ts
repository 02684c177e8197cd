// SPDX-License-Identifier: Apache-2.0
// Learns one made-up run after the other into the map argv[2], from number argv[3] on, and says each when it is committed: for being killed.
import { writeSync } from 'node:fs';
import { sampleEvidence } from '../sample-evidence.ts';
import { KILL_KIND, RUN_SIZE } from './kill-proof.ts';
import { openSqliteMap } from './writer.ts';

const [path = '', first = '0'] = process.argv.slice(2);
const map = openSqliteMap(path, KILL_KIND);
writeSync(1, 'open\n');
for (let run = Number(first); ; run++) {
  await map.learn(sampleEvidence({ ...RUN_SIZE, run: `r${run}` }));
  writeSync(1, `${run}\n`);
}
