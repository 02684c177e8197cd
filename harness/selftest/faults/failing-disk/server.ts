// SPDX-License-Identifier: Apache-2.0
// Started by failing-disk.ts: serves a disk in memory through /dev/fuse on file descriptor 3. Each line on stdin is a rule, `{}` for none; what
// a rule hit is told on stdout.
import { read, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Rule } from './failing-disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import {
  type Errno,
  formatAnswer,
  MAX_REQUEST,
  type Operation,
  parseRequest,
  UNANSWERED,
} from './protocol.ts';

const FUSE = 3;
const readAt = promisify(read);
const disk = new MemoryDisk();
let rule: Rule | undefined;
let passed = 0;
let hits = 0;

createInterface({ input: process.stdin }).on('line', (line) => {
  rule = JSON.parse(line) as Rule | undefined;
  passed = 0;
  hits = 0;
  process.stdout.write('ready\n');
});

/** What the rule makes of an operation: an error, or nothing. */
function failure(operation: Operation | undefined): Errno | undefined {
  if (rule?.operations === undefined || operation === undefined || !rule.operations.includes(operation))
    return;
  passed++;
  if (passed <= rule.after || hits >= rule.times) return;
  hits++;
  process.stdout.write(`${operation} ${rule.errno}\n`);
  return rule.errno;
}

for (;;) {
  const { bytesRead, buffer } = await readAt(FUSE, Buffer.alloc(MAX_REQUEST), 0, MAX_REQUEST, null).catch(
    (error: NodeJS.ErrnoException) => {
      // Unmounted.
      if (error.code === 'ENODEV') process.exit(0);
      throw error;
    },
  );
  const request = parseRequest((buffer as Buffer).subarray(0, bytesRead));
  if (request.operation !== undefined && UNANSWERED.includes(request.operation)) continue;
  const answer = failure(request.operation) ?? disk.answer(request);
  try {
    writeSync(FUSE, formatAnswer(request.unique, answer));
  } catch (error) {
    // Whoever asked was killed meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (request.operation === 'destroy') process.exit(0);
}
