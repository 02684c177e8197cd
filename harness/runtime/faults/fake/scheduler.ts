// SPDX-License-Identifier: Apache-2.0
// A scheduler in a process of its own, in the world without a real kernel: SOCKET OPS. Attaches when it hears `go`, and ends with its parent.
import { connect } from 'node:net';

const [path = '', ops = ''] = process.argv.slice(2);
const link = connect(path);
process.stdin.on('data', () => link.write(`attach ${ops}\n`));
process.stdin.on('end', () => process.exit(0));
link.on('data', (text) => {
  if (!String(text).startsWith('ok')) process.exit(1);
});
link.on('close', () => process.exit(3));
link.on('connect', () => process.stdout.write('ready\n'));
