// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type ExecutionContext } from 'ava';
import { testMapContract } from '../map-contract.ts';
import { SAMPLE_KIND, sampleOutcome, sampleRunEvidence } from '../sample-evidence.ts';
import { proveKills } from './kill-proof.ts';
import { readSqliteMap } from './reader.ts';
import { openSqliteMap } from './writer.ts';

const folders = new WeakMap<ExecutionContext, string>();

function scratch(t: ExecutionContext): string {
  const known = folders.get(t);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-map-'));
  folders.set(t, folder);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

testMapContract(test, async (t, kind, name) => {
  const map = openSqliteMap(join(scratch(t), `${name}.db`), kind, 300);
  t.teardown(() => map.close());
  return map;
});

test('a file that is no map is told apart, and left as it is', async (t) => {
  const folder = scratch(t);
  const refused = (path: string, message: RegExp) => {
    const before = readFileSync(path);
    t.throws(() => openSqliteMap(path, SAMPLE_KIND), { message });
    t.throws(() => readSqliteMap(path), { message });
    t.deepEqual(readFileSync(path), before);
  };
  const text = join(folder, 'text');
  writeFileSync(
    text,
    'hello, this is no database, but it is long enough to be taken for one by its length alone',
  );
  refused(text, /text: not a policy map: it is no SQLite database/);
  const truncated = join(folder, 'short');
  writeFileSync(truncated, 'SQLite format 3\0');
  refused(truncated, /not a policy map/);
  const foreign = join(folder, 'foreign.db');
  const db = new DatabaseSync(foreign);
  db.exec('create table t (a); pragma user_version = 1');
  db.close();
  refused(foreign, /not a policy map: it is the database of another program/);
  const marked = join(folder, 'marked.db');
  const other = new DatabaseSync(marked);
  other.exec('create table t (a); pragma application_id = 42');
  other.close();
  refused(marked, /not a policy map: it is the database of another program/);
});

test('no map, an empty file and a folder are each told', (t) => {
  const folder = scratch(t);
  t.throws(() => readSqliteMap(join(folder, 'absent')), {
    message: /absent: there is no such map. pmvx learn/,
  });
  t.throws(() => readSqliteMap(folder), { message: /not a policy map: it is not a file/ });
  writeFileSync(join(folder, 'empty'), '');
  t.throws(() => readSqliteMap(join(folder, 'empty')), { message: /there is no such map/ });
  // What a learner leaves that was killed before its first commit.
  const begun = join(folder, 'begun');
  const db = new DatabaseSync(begun);
  db.exec('pragma journal_mode = wal');
  db.close();
  t.true(statSync(begun).size > 0);
  t.throws(() => readSqliteMap(begun), { message: /there is no such map/ });
  t.throws(() => openSqliteMap(join(folder, 'no', 'map'), SAMPLE_KIND), {
    message: /folder of the map does not exist/,
  });
});

test('a map of a newer version is refused; a damaged one is told', async (t) => {
  const path = join(scratch(t), 'newer.db');
  await openSqliteMap(path, SAMPLE_KIND).close();
  const db = new DatabaseSync(path);
  db.exec('pragma user_version = 99');
  db.close();
  const message = /the map has schema version 99, and this pmvx knows \d+. Use the pmvx that wrote it/;
  t.throws(() => readSqliteMap(path), { message });
  t.throws(() => openSqliteMap(path, SAMPLE_KIND), { message });

  const damaged = join(scratch(t), 'damaged.db');
  const map = openSqliteMap(damaged, SAMPLE_KIND);
  await map.learn([sampleRunEvidence(), sampleOutcome()]);
  await map.close();
  const bytes = readFileSync(damaged);
  bytes.fill(0xa5, 4096, 3 * 4096);
  writeFileSync(damaged, bytes);
  t.throws(() => openSqliteMap(damaged, SAMPLE_KIND), {
    message: /damaged.db: the map is damaged \(.*\). Restore it/,
  });
});

test('SQL in a map cannot load code', (t) => {
  const map = openSqliteMap(join(scratch(t), 'code.db'), SAMPLE_KIND) as unknown as { db: DatabaseSync };
  t.throws(() => map.db.exec("select load_extension('/nonexistent')"), { message: /not authorized/ });
  map.db.close();
});

test('a process killed while it learns leaves whole runs only, and nothing inconsistent', async (t) => {
  // `node analysis/policy-map/sqlite/kill-proof.ts` does it fifty times.
  const { runs, faults } = await proveKills(scratch(t), 6);
  t.deepEqual(faults, []);
  t.true(runs > 0, 'some learning came to its end');
});
