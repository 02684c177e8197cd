// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';

/** Tasks of two processes that take slots and log when they have them. A user id of their own keeps real tests out. */
const SCRIPT = `
import { withSlots } from ${JSON.stringify(join(import.meta.dirname, 'vm-slots.ts'))};
import { setTimeout as delay } from 'node:timers/promises';
process.getuid = () => 'test-' + process.argv[1];
const log = (what) => console.log(process.hrtime.bigint() + ' ' + what);
await Promise.all([1, 2, 1, 1, 2, 1].map((count) =>
  withSlots(count, async () => { log(count); await delay(5); log(-count); })));
`;

test('tasks of several processes never hold more than two slots, and each gets its turn', async (t) => {
  const run = () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT, String(process.pid)]);
  const outputs = await Promise.all([run(), run(), run()]);
  const changes = outputs
    .flatMap(({ stdout }) => stdout.trim().split('\n'))
    .map((line) => line.split(' '))
    .sort(([a = ''], [b = '']) => (BigInt(a) < BigInt(b) ? -1 : 1))
    .map(([, change]) => Number(change));
  t.is(changes.length, 36);
  let held = 0;
  const levels = changes.map((change) => (held += change));
  t.is(held, 0);
  t.is(Math.max(...levels), 2);
});
