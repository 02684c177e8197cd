// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { snapshotKey } from './keys.ts';
import { elsewhere, filler, MIB, partsOf, scratch } from './scene.ts';
import { openSnapshotStore } from './store.ts';

const PARTS = { ...partsOf('a'), parent: 'p' };
const KEY = snapshotKey(PARTS);
const ROOMY = { limitBytes: 1024 * MIB };

test('a snapshot is made once, found again with its facts, and stays sparse', async (t) => {
  const cache = scratch(t);
  const store = await openSnapshotStore(cache, ROOMY);
  t.is(await store.find(KEY), undefined);
  t.is(await store.find('../../etc'), undefined);
  const made = await store.create(PARTS, filler(3));
  t.is(made.folder, join(cache, 'snapshots', KEY));
  const names = ['console.log', 'data', 'ram-0', 'snapshot.json', 'state', 'used'];
  t.deepEqual(readdirSync(made.folder).sort(), names);
  t.true(statSync(join(made.folder, 'ram-0')).blocks * 512 < 5 * MIB);
  const other = await openSnapshotStore(cache, ROOMY);
  const found = await other.create(PARTS, assertNever);
  t.deepEqual(found.manifest, made.manifest);
  t.deepEqual([found.manifest.parts, found.manifest.facts], [PARTS, { symbols: { a: 'ffffffff81000000' } }]);
  t.deepEqual(readdirSync(join(cache, 'snapshots')), [KEY]);
});

function assertNever(): never {
  throw new Error('a snapshot that is there was made again');
}

test('two calls in one process make a snapshot once', async (t) => {
  const store = await openSnapshotStore(scratch(t), ROOMY);
  let makings = 0;
  const make = (folder: string) => {
    makings += 1;
    return filler()(folder);
  };
  const [one, two] = await Promise.all([store.create(PARTS, make), store.create(PARTS, make)]);
  t.deepEqual([makings, one.folder], [1, two.folder]);
});

test('of three processes that want one snapshot at once, one makes it and all use it', async (t) => {
  const cache = scratch(t);
  const code = `
    const snapshot = await store.create(partsOf('a'), async (folder) => {
      console.log('making');
      await new Promise((resolve) => setTimeout(resolve, 300));
      return filler()(folder);
    });
    console.log(JSON.stringify(snapshot.manifest));`;
  const children = [1, 2, 3].map(() => elsewhere(t, cache, code));
  await Promise.all(children.map(({ gone }) => gone));
  const lines = children.flatMap(({ lines }) => lines);
  t.is(lines.filter((line) => line === 'making').length, 1);
  const manifests = lines.filter((line) => line !== 'making');
  t.is(manifests.length, 3);
  t.is(new Set(manifests).size, 1);
  t.deepEqual(readdirSync(join(cache, 'snapshots')), [snapshotKey(partsOf('a'))]);
});

test('when the maker is killed, whoever waits for it makes the snapshot, and nothing is left of the half', async (t) => {
  const cache = scratch(t);
  const folder = join(cache, 'snapshots');
  const maker = elsewhere(
    t,
    cache,
    `await store.create(partsOf('a'), async (folder) => {
      await filler()(folder);
      console.log('half');
      await new Promise((resolve) => setTimeout(resolve, 1e6));
    });`,
  );
  t.is(await maker.said(), 'half');
  const waiter = elsewhere(
    t,
    cache,
    `console.log('waits');
    await store.create(partsOf('a'), (folder) => (console.log('makes'), filler()(folder)));
    console.log('has it');`,
  );
  t.is(await waiter.said(), 'waits');
  t.is(partials(folder).length, 1, 'opening a store leaves what a live process makes');
  await maker.kill();
  await waiter.gone;
  t.deepEqual(waiter.lines, ['waits', 'makes', 'has it']);
  t.deepEqual(readdirSync(folder), [snapshotKey(partsOf('a'))]);
});

test('what a killed maker left, and half a removal, is gone after the next opening', async (t) => {
  const cache = scratch(t);
  const folder = join(cache, 'snapshots');
  const maker = elsewhere(
    t,
    cache,
    `await store.create(partsOf('a'), async (folder) => {
      await filler()(folder);
      console.log('half');
      await new Promise((resolve) => setTimeout(resolve, 1e6));
    });`,
  );
  await maker.said();
  await maker.kill();
  await mkdir(join(folder, '.gone-0123'));
  await writeFile(join(folder, '.gone-0123', 'ram-0'), 'x');
  t.is(partials(folder).length, 1);
  await openSnapshotStore(cache, ROOMY);
  t.deepEqual(readdirSync(folder), []);
});

function partials(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('.partial-'));
}

test('a maker that fails leaves nothing, its error is passed on, and the next one succeeds', async (t) => {
  const cache = scratch(t);
  const store = await openSnapshotStore(cache, ROOMY);
  const lost = new Error('QEMU is gone');
  const failing = async (folder: string) => {
    await filler()(folder);
    throw lost;
  };
  t.is(await t.throwsAsync(store.create(PARTS, failing)), lost);
  t.deepEqual(readdirSync(join(cache, 'snapshots')), []);
  const forgetful = async (folder: string) => {
    await filler()(folder);
    await rm(join(folder, 'state'));
    return null;
  };
  await t.throwsAsync(store.create(PARTS, forgetful), { message: 'a snapshot was made without state' });
  t.deepEqual(readdirSync(join(cache, 'snapshots')), []);
  t.is((await store.create(PARTS, filler())).key, KEY);
});

test('a machine that still writes to its memory while it is kept is no snapshot', async (t) => {
  const cache = scratch(t);
  const store = await openSnapshotStore(cache, ROOMY);
  let writing: NodeJS.Timeout | undefined;
  let ram: Awaited<ReturnType<typeof open>> | undefined;
  const running = async (folder: string) => {
    const facts = await filler(8)(folder);
    ram = await open(join(folder, 'ram-0'), 'r+');
    writing = setInterval(() => void ram?.write('tick', 20 * MIB), 1);
    return facts;
  };
  await t.throwsAsync(store.create(PARTS, running), { message: /still written to/ });
  clearInterval(writing);
  await ram?.close();
  t.deepEqual(readdirSync(join(cache, 'snapshots')), []);
});

test('a folder that cannot be used is an error that names it and the ways out', async (t) => {
  const cache = scratch(t);
  await writeFile(join(cache, 'snapshots'), '');
  const error = await t.throwsAsync(openSnapshotStore(join(cache, 'snapshots'), ROOMY), {
    instanceOf: PmvxError,
  });
  t.is(error.code, ExitCode.environment);
  t.is(
    error.message,
    `${cache}/snapshots/snapshots: a snapshot of the machine cannot be kept: a part of the path is not a folder (ENOTDIR). Set PMVX_CACHE to a folder that can be written, or write \`counterfactual: boot\`, which needs no snapshots`,
  );
});

test('waiting for another process ends with the signal', async (t) => {
  const cache = scratch(t);
  const maker = elsewhere(
    t,
    cache,
    `await store.create(partsOf('a'), async () => {
      console.log('half');
      await new Promise((resolve) => setTimeout(resolve, 1e6));
    });`,
  );
  await maker.said();
  const stop = new AbortController();
  const store = await openSnapshotStore(cache, { ...ROOMY, signal: stop.signal });
  const waiting = store.create(partsOf('a'), filler());
  setTimeout(() => stop.abort(), 200);
  await t.throwsAsync(waiting, { name: 'AbortError' });
  await maker.kill();
});

test('a process that forgets to release ends, and so does its hold on the snapshot', async (t) => {
  const cache = scratch(t);
  const child = elsewhere(t, cache, `await store.create(partsOf('a'), filler()); console.log('done');`);
  await child.gone;
  t.deepEqual(child.lines, ['done']);
  const stamp = join(cache, 'snapshots', snapshotKey(partsOf('a')), 'used');
  t.true(existsSync(stamp));
  t.is(readFileSync(stamp, 'utf8'), '');
});
