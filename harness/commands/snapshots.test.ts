// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { snapshotKey } from '../lab/snapshots/keys.ts';
import { filler, MIB, partsOf } from '../lab/snapshots/scene.ts';
import { openSnapshotStore, type SnapshotStore } from '../lab/snapshots/store.ts';
import type { CommandContext } from './context.ts';
import { snapshotsListCommand, snapshotsPruneCommand } from './snapshots.ts';

interface Scene {
  readonly cache: string;
  readonly store: SnapshotStore;
  readonly said: (call: (context: CommandContext) => Promise<unknown>) => Promise<string[]>;
}

/** Three snapshots, used one, two and three seconds after 1970. */
async function scene(t: ExecutionContext): Promise<Scene> {
  const cache = await mkdtemp(join(tmpdir(), 'pmvx-snapshots-'));
  t.teardown(() => rm(cache, { recursive: true, force: true }));
  const store = await openSnapshotStore(cache, { limitBytes: 1024 * MIB });
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    const parts = name === 'c' ? { ...partsOf(name), parent: snapshotKey(partsOf('a')) } : partsOf(name);
    const snapshot = await store.create(parts, filler(2));
    await snapshot.release();
    await utimes(join(snapshot.folder, 'used'), index + 1, index + 1);
  }
  const said: Scene['said'] = async (call) => {
    const lines: string[] = [];
    await call({
      root: '/nonexistent',
      write: (line) => void lines.push(line),
      warn: (line) => void lines.push(line),
      catalog: () => Promise.reject(new Error('not needed')),
      signal: new AbortController().signal,
      isTTY: false,
      env: { PMVX_CACHE: cache },
    });
    return lines;
  };
  return { cache, store, said };
}

const [A, B] = [snapshotKey(partsOf('a')), snapshotKey(partsOf('b'))];
const C = snapshotKey({ ...partsOf('c'), parent: A });

test('list shows each snapshot with its size, use, state and parent', async (t) => {
  const { cache, store, said } = await scene(t);
  await writeFile(join(cache, 'snapshots', B, 'snapshot.json'), '{}');
  const using = await store.find(A);
  await utimes(join(cache, 'snapshots', A, 'used'), 1, 1);
  const lines = await said((context) => snapshotsListCommand({}, context));
  t.deepEqual(lines.slice(0, 4), [
    'snapshot          size   used                 state    image  parent',
    `${A}  3 MiB  1970-01-01T00:00:01  in use   i`,
    `${B}  3 MiB  1970-01-01T00:00:02  damaged`,
    `${C}  3 MiB  1970-01-01T00:00:03  kept     i      ${A}`,
  ]);
  t.regex(lines[4] ?? '', /^3 snapshots, [78] MiB$/);
  const listed = JSON.parse(
    (await said((context) => snapshotsListCommand({ json: true }, context))).join('\n'),
  );
  t.deepEqual(
    listed.map((each: { key: string; inUse: boolean; manifest: { parts: unknown } | null }) => [
      each.key,
      each.inUse,
      each.manifest?.parts ?? null,
    ]),
    [
      [A, true, partsOf('a')],
      [B, false, null],
      [C, false, { ...partsOf('c'), parent: A }],
    ],
  );
  await using?.release();
});

test('prune removes what nobody uses, the oldest first and down to a size', async (t) => {
  const { store, said } = await scene(t);
  const lines = await said((context) => snapshotsPruneCommand({ to: '6MiB' }, context));
  t.is(lines[0], 'removed 1 snapshots, 3 MiB');
  t.regex(lines[1] ?? '', /^kept 2 snapshots, [56] MiB$/);
  t.is(await store.find(A), undefined);
  const using = await store.find(B);
  t.deepEqual(await said((context) => snapshotsPruneCommand({}, context)), [
    'removed 1 snapshots, 3 MiB',
    'kept 1 snapshots, 3 MiB: they are in use',
  ]);
  await using?.release();
  await said((context) => snapshotsPruneCommand({}, context));
  t.deepEqual(await said((context) => snapshotsListCommand({}, context)), [
    'no snapshots: a run with `counterfactual: fork` makes them',
  ]);
  await t.throwsAsync(
    said((context) => snapshotsPruneCommand({ to: 'half' }, context)),
    { message: '--to: "half" is not a size. Write a size such as 512MiB or 4GiB' },
  );
});
