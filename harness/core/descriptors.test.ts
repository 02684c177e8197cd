// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';

const SCRIPT = `
import { execFileSync } from 'node:child_process';
import { closeInherited } from '${join(import.meta.dirname, 'descriptors.ts')}';
closeInherited(JSON.parse(process.argv[1]), process.env);
const stdio = ['ignore', 'pipe', 'inherit'];
console.log(execFileSync('sh', ['-c', 'ls /proc/$$/fd; true'], { stdio, encoding: 'utf8' }));
`;

/** Descriptors that a child of a child has, where the first was started with 77 and 78 open. */
function descriptors(argv: readonly string[]): string[] {
  const open = 'exec 77</etc/hostname 78>/dev/null; exec "$0" --no-warnings --input-type=module -e "$1" "$2"';
  const out = execFileSync('bash', ['-c', open, process.execPath, SCRIPT, JSON.stringify(argv)], {
    encoding: 'utf8',
  });
  return out.trim().split('\n');
}

test('a child has 0, 1 and 2 of whoever started this process, and no more', (t) => {
  t.deepEqual(descriptors(['run', 'spec.yaml']), ['0', '1', '2']);
});

test('what an argument names stays open', (t) => {
  t.deepEqual(descriptors(['run', '/dev/fd/77']), ['0', '1', '2', '77']);
  t.deepEqual(descriptors(['--out=/proc/self/fd/78']), ['0', '1', '2', '78']);
});
