// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { readSpec } from './read-spec.ts';
import { sampleCatalog } from './sample-catalog.ts';

const folder = mkdtempSync(join(tmpdir(), 'pmvx-spec-'));
test.after.always(() => rmSync(folder, { recursive: true }));

async function refusal(path: string): Promise<string> {
  try {
    await readSpec(path, sampleCatalog);
  } catch (error) {
    if (error instanceof PmvxError && error.code === ExitCode.usage)
      return error.message.replaceAll(folder, '');
    throw error;
  }
  return 'accepted';
}

function written(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('a spec file is read, and its path is in messages as given', async (t) => {
  const good = written('good.yaml', 'name: x\nimage: quick\npolicies: [eevdf]\nworkloads: [{ use: boot }]\n');
  t.is((await readSpec(good, sampleCatalog)).name, 'x');
  t.is(
    await refusal(written('empty.yaml', '')),
    '/empty.yaml:1:1: the file is empty. Write a mapping of keys to values',
  );
});

test('a spec of 10 MB is refused with its size, before it is read', async (t) => {
  t.is(
    await refusal(written('large.yaml', Buffer.alloc(10_000_000, '#'))),
    '/large.yaml: the file has 10000000 bytes (9.5 MiB). The limit for a spec is 1 MiB; is this the right file?',
  );
});

test('a file that is absent, a folder, a pipe or no text is refused by name', async (t) => {
  const next = 'Name a YAML file, such as harness/experiments/quickstart.yaml.';
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  t.is(
    await refusal(join(folder, 'none.yaml')),
    '/none.yaml: no such file. Specs that ship are in harness/experiments.',
  );
  t.is(await refusal(folder), `: is a folder, not a spec. ${next}`);
  t.is(await refusal(pipe), `/pipe: is not a regular file. ${next}`);
  t.is(await refusal('/dev/zero'), `/dev/zero: is not a regular file. ${next}`);
  t.is(
    await refusal(written('latin1.yaml', Buffer.from('name: caf\xe9\n', 'latin1'))),
    '/latin1.yaml: not UTF-8 text. Save the spec as UTF-8.',
  );
});
