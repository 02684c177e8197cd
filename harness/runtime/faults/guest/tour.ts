// SPDX-License-Identifier: Apache-2.0
// Runs in a guest: a load, and what the daemon makes of it, in the words that a person would read. The load's command follows `--`.
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { readSchedExt } from '../../actuate/sched-ext.ts';
import { statusLines } from '../../daemon/status-lines.ts';
import { explainLine } from '../../daemon/words.ts';
import { tell } from './report.ts';
import { journal, startDaemon } from './stage.ts';

const [seconds = '10', policies = ''] = process.argv.slice(6, 8);
const [program = '', ...args] = process.argv.slice(process.argv.indexOf('--') + 1);

const service = await startDaemon(policies.split(','), {
  windowMs: 500,
  unguarded: false,
  machine: '{ engine: exact, cpu: "250 MIPS" }',
});
const load = spawn(program, args, { stdio: 'ignore' });
const until = performance.now() + Number(seconds) * 1000;
while (performance.now() < until) await delay(100);
const status = await service.ready(10_000);
for (const line of statusLines(status)) console.log(line);
console.log('');
const moved = journal.lines().findLast((line) => line.kind === 'decision');
if (moved !== undefined) console.log(explainLine(moved));
tell('toured', { status, kernel: readSchedExt(), moved });
load.kill('SIGKILL');
await service.stop();
tell('stopped', { kernel: readSchedExt() });
process.exit(0);
