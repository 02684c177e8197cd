// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import test from 'ava';
import { commandFor } from './command.ts';
import { namedFile, pathOfFile, readNamedFile } from './file-parameter.ts';
import { shortDigest } from './ids.ts';
import { isLegal } from './parameters.ts';
import type { Seed } from './seed.ts';
import { WorkloadSchema } from './workload.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SHIPPED = 'workloads/replay/traces/stage-pipeline.trace';

function scratch(t: { teardown(f: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-file-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a file is named by its path and the digest of what it holds', (t) => {
  const path = join(scratch(t), 'some.trace');
  writeFileSync(path, 'one');
  const one = namedFile(path, 100);
  t.is(one, `${path}@${shortDigest(Buffer.from('one'))}`);
  t.is(namedFile(relative(process.cwd(), path), 100), one);
  t.is(pathOfFile(one), path);
  t.is(readNamedFile(one).toString(), 'one');
  writeFileSync(path, 'two');
  t.not(namedFile(path, 100), one);
});

test('a file of the project is named from its root, wherever the project lies', (t) => {
  const named = namedFile(SHIPPED, 1e6);
  t.regex(named, new RegExp(`^${SHIPPED}@[0-9a-f]{16}$`));
  t.is(namedFile(join(ROOT, SHIPPED), 1e6), named);
  t.is(pathOfFile(named), join(ROOT, SHIPPED));
});

test('a name that was made before is taken again as long as the file is the same', (t) => {
  const path = join(scratch(t), 'some.trace');
  writeFileSync(path, 'one');
  const named = namedFile(path, 100);
  t.is(namedFile(named, 100), named);
  writeFileSync(path, 'two');
  const now = shortDigest(Buffer.from('two'));
  const was = shortDigest(Buffer.from('one'));
  t.throws(() => namedFile(named, 100), {
    instanceOf: RangeError,
    message: `must have digest ${was}; ${JSON.stringify(path)} has changed and has ${now}`,
  });
  t.throws(() => readNamedFile(named), {
    instanceOf: RangeError,
    message: `${path} has changed: its digest was ${was} and is ${now}`,
  });
});

test('what is no file, is not there or is too long is refused', (t) => {
  const folder = scratch(t);
  const long = join(folder, 'long');
  writeFileSync(long, 'x'.repeat(101));
  mkdirSync(join(folder, 'inner'));
  const refused = (path: string) =>
    t.throws(() => namedFile(path, 100), { instanceOf: RangeError }).message.replace(folder, '');
  t.is(refused(long), 'must have at most 100 bytes; "/long" has 101');
  t.is(refused(join(folder, 'inner')), 'must be a file; "/inner" is none');
  t.is(refused(join(folder, 'none')), 'must be a file; there is no "/none"');
  t.throws(() => readNamedFile(long), { message: `${JSON.stringify(long)} names no file` });
});

test('a run gets the place of its file in the guest, and the file comes with it', (t) => {
  const definition = WorkloadSchema.parse({
    ...{ summary: 's', class: 'mixed', source: 's', seed: 's', deadline_s: 1, takes_s: { exact: 1, kvm: 1 } },
    params: { trace: { type: 'file', default: SHIPPED, max_bytes: 1_000_000, about: 'a' } },
    argv: ['/bin/player', `\${trace}`, `\${seed}`],
    metrics: { time: { unit: 's', direction: 'lower', primary: true, pattern: '^(\\d+)$', about: 'a' } },
  });
  const value = namedFile(SHIPPED, 1e6);
  const command = commandFor({ id: 'player', definition } as never, { trace: value }, 5 as Seed);
  t.deepEqual(command, {
    run: ['/bin/player', '/run/pmvx-trace', '5'],
    files: [{ path: '/run/pmvx-trace', value }],
  });
  // A path alone could be two contents.
  t.false(isLegal(definition.params.trace as never, SHIPPED));
  t.throws(() => commandFor({ id: 'player', definition } as never, { trace: SHIPPED }, 5 as Seed), {
    message: /player\.trace: must be a path and the digest of its file, got "workloads/,
  });
});
