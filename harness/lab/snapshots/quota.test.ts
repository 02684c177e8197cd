// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { snapshotKey } from './keys.ts';
import { listSnapshots, pruneSnapshots } from './list.ts';
import { parseBytes, snapshotLimit } from './quota.ts';
import { elsewhere, filler, MIB, partsOf, scratch } from './scene.ts';
import { openSnapshotStore, type SnapshotStore } from './store.ts';

/** Makes a snapshot of some 2 MiB that was last used `ago` seconds ago; nobody uses it. */
async function keep(cache: string, store: SnapshotStore, name: string, ago: number): Promise<void> {
  const snapshot = await store.create(partsOf(name), filler(2));
  await snapshot.release();
  const then = new Date(Date.now() - ago * 1000);
  await utimes(join(cache, 'snapshots', snapshot.key, 'used'), then, then);
}

/** Names of what is left. */
function kept(cache: string): string[] {
  const keys = new Map('abcdef'.split('').map((name) => [snapshotKey(partsOf(name)), name]));
  return readdirSync(join(cache, 'snapshots'))
    .map((key) => keys.get(key) ?? key)
    .sort();
}

const NEXT = 'Set PMVX_SNAPSHOT_LIMIT higher, or write `counterfactual: boot`, which needs no snapshots';

test('what was used longest ago goes first, until the next one fits', async (t) => {
  const cache = scratch(t);
  const store = await openSnapshotStore(cache, { limitBytes: 7 * MIB });
  await keep(cache, store, 'a', 200);
  await keep(cache, store, 'b', 300);
  await keep(cache, store, 'c', 100);
  t.deepEqual(kept(cache), ['a', 'b', 'c']);
  await keep(cache, store, 'd', 50);
  t.deepEqual(kept(cache), ['a', 'c', 'd']);
  await (await store.find(snapshotKey(partsOf('a'))))?.release();
  await keep(cache, store, 'e', 0);
  t.deepEqual(kept(cache), ['a', 'd', 'e']);
});

test('room is made before a snapshot is made, so that all together never take more than the limit', async (t) => {
  const cache = scratch(t);
  const store = await openSnapshotStore(cache, { limitBytes: 7 * MIB });
  for (const [at, name] of ['a', 'b', 'c'].entries()) await keep(cache, store, name, 300 - at);
  const seen: string[][] = [];
  const made = await store.create(partsOf('d'), async (folder) => {
    seen.push(kept(cache).filter((name) => name.length === 1));
    return filler(2)(folder);
  });
  await made.release();
  t.deepEqual(seen, [['b', 'c']]);
});

test('what this or another process uses stays, however old', async (t) => {
  const cache = scratch(t);
  const store = await openSnapshotStore(cache, { limitBytes: 7 * MIB });
  for (const [ago, name] of ['c', 'b', 'a'].entries()) await keep(cache, store, name, 100 + ago);
  const mine = await store.find(snapshotKey(partsOf('a')));
  const other = elsewhere(
    t,
    cache,
    `await store.find('${snapshotKey(partsOf('b'))}'); console.log('uses'); setInterval(() => {}, 1000);`,
  );
  t.is(await other.said(), 'uses');
  for (const name of ['a', 'b']) {
    await utimes(join(cache, 'snapshots', snapshotKey(partsOf(name)), 'used'), 1, 1);
  }
  await keep(cache, store, 'd', 0);
  t.deepEqual(kept(cache), ['a', 'b', 'd']);
  t.deepEqual(
    (await listSnapshots(cache)).map(({ inUse }) => inUse),
    [true, true, false],
  );
  t.is((await pruneSnapshots(cache)).removed.length, 1);
  t.deepEqual(kept(cache), ['a', 'b']);
  await mine?.release();
  await other.kill();
  t.is((await pruneSnapshots(cache)).removed.length, 2);
  t.deepEqual(kept(cache), []);
});

test('a snapshot that is larger than the limit, alone or with those in use, is refused and removed', async (t) => {
  const cache = scratch(t);
  const store = await openSnapshotStore(cache, { limitBytes: 3 * MIB });
  const big = await t.throwsAsync(store.create(partsOf('b'), filler(5)), { instanceOf: PmvxError });
  t.is(big.code, ExitCode.environment);
  const where = `${cache}/snapshots`;
  t.is(big.message, `${where}: a snapshot of this machine takes 6 MiB; snapshots may take 3 MiB. ${NEXT}`);
  const using = await store.create(partsOf('a'), filler(1));
  const two = await t.throwsAsync(store.create(partsOf('b'), filler(2)), { instanceOf: PmvxError });
  t.is(
    two.message,
    `${where}: there is no room for a snapshot of 3 MiB: those in use take 2 MiB; snapshots may take 3 MiB. ${NEXT}`,
  );
  t.deepEqual(kept(cache), ['a']);
  await using.release();
  await (await store.create(partsOf('b'), filler(2))).release();
  t.deepEqual(kept(cache), ['b']);
});

test('the limit is written as a size', (t) => {
  t.is(parseBytes('4GiB'), 4 * 1024 * MIB);
  t.is(parseBytes('1.5TiB'), 1.5 * 1024 * 1024 * MIB);
  t.is(snapshotLimit({ PMVX_SNAPSHOT_LIMIT: '512MiB' }), 512 * MIB);
  t.is(snapshotLimit({}), 8 * 1024 * MIB);
  for (const text of ['4', '4GB', '-1GiB', '0MiB', 'GiB', '1e3MiB']) t.is(parseBytes(text), undefined, text);
  t.throws(() => snapshotLimit({ PMVX_SNAPSHOT_LIMIT: '4G' }), {
    message: 'PMVX_SNAPSHOT_LIMIT: "4G" is not a size. Write a size such as 512MiB or 4GiB',
  });
});

/** Runs a module in a mount namespace of its own, in which `cache` is a file system of 16 MiB. */
async function onSmallDisk(t: ExecutionContext, code: string): Promise<{ cache: string; said: unknown }> {
  const cache = scratch(t);
  const text = `
    import { readdirSync, statfsSync } from 'node:fs';
    import { open } from 'node:fs/promises';
    import { openSnapshotStore } from '${import.meta.dirname}/store.ts';
    import { filler, partsOf } from '${import.meta.dirname}/scene.ts';
    const cache = process.argv[1];
    const store = await openSnapshotStore(cache, { limitBytes: 2 ** 40 });
    const tell = (error) => [error.code, error.message];
    ${code}`;
  const mount =
    'mount -t tmpfs -o size=16m none "$1" && exec "$0" --input-type=module-typescript -e "$2" "$1"';
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const words = ['-m', ...asRoot, 'sh', '-c', mount, process.execPath, cache, text];
  const { stdout } = await execa('unshare', words);
  return { cache, said: JSON.parse(stdout) };
}

test('a full disk is one error, whatever the machine said of it, and leaves nothing', async (t) => {
  const { cache, said } = await onSmallDisk(
    t,
    `const before = statfsSync(cache).bfree;
    const coded = await store.create(partsOf('a'), filler(20)).then(() => 'made', tell);
    const worded = await store.create(partsOf('a'), async (folder) => {
      await filler(20)(folder).catch(() => undefined);
      throw new Error('the machine died of SIGBUS');
    }).then(() => 'made', tell);
    const reported = await store.create(partsOf('a'), async () => {
      throw new Error('migration failed: Unable to write to file: No space left on device');
    }).then(() => 'made', tell);
    const left = readdirSync(cache + '/snapshots');
    const freed = statfsSync(cache).bfree >= before - 1;
    const small = await store.create(partsOf('b'), filler(1)).then(() => 'made', tell);
    console.log(JSON.stringify({ coded, worded, reported, left, freed, small }));`,
  );
  const fault = [
    ExitCode.environment,
    `${cache}/snapshots: a snapshot of the machine cannot be kept: no space left on the device (ENOSPC). Free some space, give snapshots less of it with PMVX_SNAPSHOT_LIMIT, or write \`counterfactual: boot\`, which needs no snapshots`,
  ];
  t.deepEqual(said, { coded: fault, worded: fault, reported: fault, left: [], freed: true, small: 'made' });
});

test('snapshots never take more than half of the free space', async (t) => {
  const { cache, said } = await onSmallDisk(
    t,
    `const big = await store.create(partsOf('a'), filler(9)).then(() => 'made', tell);
    for (const name of 'abcdef') await (await store.create(partsOf(name), filler(2))).release();
    console.log(JSON.stringify({ big, count: readdirSync(cache + '/snapshots').length }));`,
  );
  t.deepEqual(said, {
    big: [
      ExitCode.environment,
      `${cache}/snapshots: a snapshot of this machine takes 10 MiB; snapshots may take 8 MiB, half of the free space. Free some space, or write \`counterfactual: boot\`, which needs no snapshots`,
    ],
    count: 3,
  });
});
