// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { bytesNeeded, machinesThatFit, preflight, requireMemory } from './preflight.ts';
import { resultsPlace } from './results-place.ts';

async function scratch(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-preflight-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const SIZE = { trials: 40, jobs: 2 };
const fine = {
  probe: async () => undefined,
  freeBytes: async () => 2 ** 40,
  availableMiB: async () => 2 ** 20,
};

test('a place that can be written and has room passes and is left as it was', async (t) => {
  const folder = await scratch(t);
  await preflight(join(folder, 'runs'), SIZE, resultsPlace);
  t.deepEqual(await readdir(folder), ['runs']);
  t.deepEqual(await readdir(join(folder, 'runs')), []);
});

test('too little disk is refused with both numbers before anything runs', async (t) => {
  const place = { ...fine, freeBytes: async () => 5 * 2 ** 20 };
  const error = await t.throwsAsync(preflight('/r', SIZE, place), { instanceOf: PmvxError });
  t.is(
    error?.message,
    '/r: 40 trials need 58 MiB of disk, 5 MiB are free. Free some space, or give a folder on another disk with --out DIR.',
  );
  t.is((error as PmvxError).code, ExitCode.environment);
});

test('a read-only file system is refused by its error', async (t) => {
  const readOnly = Object.assign(new Error('read-only'), { code: 'EROFS' });
  const error = await t.throwsAsync(
    preflight('/r', SIZE, { ...fine, probe: () => Promise.reject(readOnly) }),
  );
  t.is(
    error?.message,
    '/r: results cannot be written here (EROFS). Give a folder that can be written with --out DIR.',
  );
});

test('a file where the folder should be is refused', async (t) => {
  const folder = await scratch(t);
  await writeFile(join(folder, 'file'), '');
  const error = await t.throwsAsync(preflight(join(folder, 'file', 'runs'), SIZE, resultsPlace));
  t.regex(error?.message ?? '', /results cannot be written here \(ENOTDIR\)/);
});

test('more trials need more disk', (t) => {
  t.true(bytesNeeded(1000, 2) > bytesNeeded(10, 2));
  t.true(bytesNeeded(10, 64) > bytesNeeded(10, 2));
});

test('more machines than memory holds are refused with a number that fits', async (t) => {
  const place = { ...fine, availableMiB: async () => 5000 };
  const error = await t.throwsAsync(requireMemory(4, 1024, place), { instanceOf: PmvxError });
  t.is(
    error?.message,
    '4 machines of 1024 MiB at once need 8448 MiB of memory, 5000 MiB are available. Use --jobs 2.',
  );
  await t.notThrowsAsync(requireMemory(2, 1024, place));
});

test('the real host says how much memory it has left', async (t) => {
  const available = await resultsPlace.availableMiB();
  t.true(Number.isFinite(available) && available > 0);
});

test('as many machines run at once as there are cores, or as memory holds, and one at least', async (t) => {
  const with5000 = { ...fine, availableMiB: async () => 5000 };
  t.is(await machinesThatFit(8, 1024, with5000), 2);
  t.is(await machinesThatFit(1, 1024, with5000), 1);
  t.is(await machinesThatFit(8, 8192, with5000), 1);
});
