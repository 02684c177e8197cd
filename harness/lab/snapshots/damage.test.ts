// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs';
import {
  appendFile,
  copyFile,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { canonicalJson, shortDigest } from '../../core/ids.ts';
import { snapshotKey } from './keys.ts';
import { filler, MIB, partsOf, scratch } from './scene.ts';
import { openSnapshotStore } from './store.ts';

const PARTS = partsOf('damage');
const KEY = snapshotKey(PARTS);

async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  byte[0] = (byte[0] as number) ^ 1;
  await file.write(byte, 0, 1, at);
  await file.close();
}

/** Rewrites a manifest so that its own digest is right. */
async function forge(folder: string, change: object): Promise<void> {
  const path = join(folder, 'snapshot.json');
  const { digest: _, ...manifest } = JSON.parse(await readFile(path, 'utf8'));
  const forged = { ...manifest, ...change };
  await writeFile(path, JSON.stringify({ ...forged, digest: shortDigest(canonicalJson(forged)) }));
}

const DAMAGE: Readonly<Record<string, readonly [words: string, (folder: string) => Promise<void>]>> = {
  'a flipped bit in memory': [
    'ram-0: digest differs',
    (folder) => flip(join(folder, 'ram-0'), 5 * MIB + 9000),
  ],
  'a bit set in a hole': ['ram-0: digest differs', (folder) => flip(join(folder, 'ram-0'), 40 * MIB)],
  'a flipped bit in the state': ['state: digest differs', (folder) => flip(join(folder, 'state'), 3)],
  'lost memory': [
    'ram-0: digest differs',
    async (folder) => {
      await truncate(join(folder, 'ram-0'), 5 * MIB);
      await truncate(join(folder, 'ram-0'), 64 * MIB);
    },
  ],
  'a cut file': [
    `ram-0: ${63 * MIB} bytes instead of ${64 * MIB}`,
    (folder) => truncate(join(folder, 'ram-0'), 63 * MIB),
  ],
  'an empty file': ['state: 0 bytes instead of 12', (folder) => truncate(join(folder, 'state'), 0)],
  'a longer file': ['data: 13 bytes instead of 12', (folder) => appendFile(join(folder, 'data'), 'x')],
  'a missing file': ['console.log: missing', (folder) => rm(join(folder, 'console.log'))],
  'a folder in place of a file': [
    'state: missing',
    async (folder) => {
      await rm(join(folder, 'state'));
      await mkdir(join(folder, 'state'));
    },
  ],
  'a missing manifest': ['snapshot.json: missing', (folder) => rm(join(folder, 'snapshot.json'))],
  'half a manifest': ['snapshot.json: not JSON', (folder) => truncate(join(folder, 'snapshot.json'), 100)],
  'a manifest of nothing': [
    'snapshot.json: version undefined is unknown',
    (folder) => writeFile(join(folder, 'snapshot.json'), 'null'),
  ],
  'a changed fact': [
    'snapshot.json: digest differs',
    async (folder) => {
      const path = join(folder, 'snapshot.json');
      await writeFile(path, (await readFile(path, 'utf8')).replace('ffffffff81000000', 'ffffffff81000001'));
    },
  ],
  'another version': ['snapshot.json: version 2 is unknown', (folder) => forge(folder, { v: 2 })],
  'another member': ['snapshot.json: not a manifest', (folder) => forge(folder, { more: 1 })],
  'other parts': [
    `snapshot.json: this is the snapshot ${KEY}`,
    (folder) => forge(folder, { parts: partsOf('other') }),
  ],
  'a manifest without memory': [
    'snapshot.json: does not name ram-0',
    (folder) => forge(folder, { files: {} }),
  ],
};

async function made(t: ExecutionContext) {
  const cache = scratch(t);
  const warnings: string[] = [];
  const open = () =>
    openSnapshotStore(cache, { limitBytes: 1024 * MIB, warn: (line) => warnings.push(line) });
  const store = await open();
  const snapshot = await store.create(PARTS, filler());
  await snapshot.release();
  return { cache, warnings, store, open, folder: snapshot.folder };
}

for (const [kind, [words, damage]] of Object.entries(DAMAGE)) {
  test(`${kind} is noticed by the process that made the snapshot and by any other; it is made again`, async (t) => {
    for (const again of [false, true]) {
      const { cache, warnings, store, open, folder } = await made(t);
      await damage(folder);
      const asked = again ? await open() : store;
      t.is(await asked.find(KEY), undefined);
      t.deepEqual(warnings, [`snapshot ${KEY} was damaged (${words}) and is made again`]);
      t.deepEqual(readdirSync(join(cache, 'snapshots')), []);
      const healed = await asked.create(PARTS, filler());
      t.is(healed.manifest.files['ram-0']?.size, 64 * MIB);
      t.is((await asked.find(KEY))?.key, KEY);
      t.is(warnings.length, 1);
    }
  });
}

test('damage under a snapshot in use is noticed when it is asked for once more', async (t) => {
  const { store, folder, warnings } = await made(t);
  const using = await store.find(KEY);
  t.is((await store.find(KEY))?.folder, using?.folder);
  await flip(join(folder, 'ram-0'), 5 * MIB + 9000);
  t.is(await store.find(KEY), undefined);
  t.is(warnings.length, 1);
  const healed = await store.create(PARTS, filler());
  await using?.release();
  t.true(existsSync(join(healed.folder, 'ram-0')));
});

test('a snapshot under the name of another is not taken for it', async (t) => {
  const { cache, store, folder, warnings } = await made(t);
  const other = snapshotKey(partsOf('other'));
  await rename(folder, join(cache, 'snapshots', other));
  t.is(await store.find(other), undefined);
  t.deepEqual(warnings, [
    `snapshot ${other} was damaged (snapshot.json: this is the snapshot ${KEY}) and is made again`,
  ]);
});

test('files that were touched or copied are read again, and trusted when they are whole', async (t) => {
  const { store, folder, warnings } = await made(t);
  await utimes(join(folder, 'ram-0'), 1, 1);
  await copyFile(join(folder, 'state'), join(folder, 'copy'));
  await rename(join(folder, 'copy'), join(folder, 'state'));
  t.is((await store.find(KEY))?.key, KEY);
  t.deepEqual(warnings, []);
});

test('a change that hides behind the old time of change is noticed', async (t) => {
  const { store, folder } = await made(t);
  const path = join(folder, 'state');
  await utimes(path, 1000, 1000);
  await (await store.find(KEY))?.release();
  await flip(path, 0);
  await utimes(path, 1000, 1000);
  t.is(await store.find(KEY), undefined);
});
