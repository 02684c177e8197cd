// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { collectProvenance } from './provenance.ts';

test('where and when a run began, what made it and on what: known things only', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-provenance-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, 'package.json'), '{ "version": "1.2.3" }');
  const given = {
    run: 'r',
    root,
    engine: 'mock',
    image: { id: 'quick-aa', digests: {} },
    seeds: { base: 1, count: 2 },
    createdAt: new Date('2026-01-02T03:04:05.000Z'),
  } as unknown as Parameters<typeof collectProvenance>[0];
  const plain = await collectProvenance(given);
  t.false('definitions' in plain);
  t.deepEqual(plain.pmvx, { version: '1.2.3' }, 'no repository, no commit');
  t.like(plain, { v: 1, run: 'r', createdAt: '2026-01-02T03:04:05.000Z', engine: 'mock' });
  t.like(plain.host, { cores: availableParallelism(), kernel: release(), node: process.version });
  t.true(plain.host.memoryMiB > 64 && plain.host.memoryMiB < 1e9);
  t.is((await collectProvenance({ ...given, definitions: 'dd' })).definitions, 'dd');

  const git = (...args: string[]) =>
    execFileSync(
      'git',
      ['-c', 'user.name=n', '-c', 'user.email=e@x', '-c', 'commit.gpgsign=false', ...args],
      {
        cwd: root,
        encoding: 'utf8',
      },
    );
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'one');
  const commit = git('rev-parse', 'HEAD').trim();
  t.deepEqual((await collectProvenance(given)).pmvx, { version: '1.2.3', commit, dirty: false });
  writeFileSync(join(root, 'new'), '');
  t.deepEqual((await collectProvenance(given)).pmvx, { version: '1.2.3', commit, dirty: true });
});
