// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { ReadyImage } from '../image.ts';
import { type Measured, readSelfTest, reportOf, requirePassed } from './report.ts';

const LIVED = { hash: 'b', transcript: 't' };
const GOOD: Measured = {
  twins: ['h', 'h'],
  shares: {},
  spread: { 1: 0, 16: 0.0099 },
  fork: { boot: LIVED, fork: LIVED },
  idle: { vcpus: 4, virtualSeconds: 10, hostSeconds: 1 },
};
const REPORT = reportOf('d1', GOOD);

async function imageWith(t: ExecutionContext, report?: string): Promise<ReadyImage> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-kept-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  if (report !== undefined) await writeFile(join(folder, 'selftest.json'), report);
  const manifest = {
    v: 1,
    recipe: 'quick',
    id: 'i',
    guestKernel: '7',
    qemuVersion: '10',
    rootMiB: 1,
    files: {},
  } as const;
  return { folder, manifest, digest: 'd1' };
}

test('a kept report is read back for the image that was tested', async (t) => {
  t.deepEqual(await readSelfTest(await imageWith(t, JSON.stringify(REPORT))), REPORT);
});

test('no report, one of another image, of another version or a damaged one counts as not tested', async (t) => {
  const texts = [
    undefined,
    JSON.stringify({ ...REPORT, digest: 'd2' }),
    JSON.stringify({ ...REPORT, v: 1 }),
    JSON.stringify(REPORT).slice(0, 20),
    '',
  ];
  for (const text of texts) t.is(await readSelfTest(await imageWith(t, text)), undefined);
});

test('an image that passed may be used, and one that failed is refused with every fault', async (t) => {
  const image = await imageWith(t);
  t.notThrows(() => requirePassed(REPORT, image));
  const faults = ['two boots differ: a and b', '8 vCPUs: shares differ by 2.00 %, at most 1 % is accepted'];
  const error = t.throws(() => requirePassed({ ...REPORT, passed: false, faults }, image), {
    instanceOf: PmvxError,
  });
  t.is(error.code, ExitCode.image);
  t.is(
    error.message,
    'image quick: failed its self-test: two boots differ: a and b; 8 vCPUs: shares differ by 2.00 %, at most 1 % is ' +
      'accepted. Nothing runs on `exact` with it. Build it anew with `./pmvx image build quick --force`',
  );
});

const faulty: readonly (readonly [string, Partial<Measured>, string])[] = [
  ['unequal shares', { spread: { 8: 0.02 } }, '8 vCPUs: shares differ by 2.00 %, at most 1 % is accepted'],
  [
    'a spread that is no number',
    { spread: { 8: Number.NaN } },
    '8 vCPUs: shares differ by NaN %, at most 1 % is accepted',
  ],
  ['boots that differ', { twins: ['a', 'b'] }, 'two boots differ: a and b'],
  [
    'a fork that said something else',
    { fork: { boot: LIVED, fork: { ...LIVED, transcript: 'u' } } },
    'a fork said other things than its boot',
  ],
  [
    'a fork that executed something else',
    { fork: { boot: LIVED, fork: { ...LIVED, hash: 'c' } } },
    'a fork executed other blocks than its boot: c and b',
  ],
  [
    'idle time that is executed',
    { idle: { vcpus: 4, virtualSeconds: 10, hostSeconds: 23.4 } },
    'idle time is not skipped: a virtual second takes 2.34 host seconds',
  ],
];

for (const [what, measured, fault] of faulty) {
  test(`${what} is a fault of the image`, (t) => {
    const report = reportOf('d1', { ...GOOD, ...measured });
    t.deepEqual(report.faults, [fault]);
    t.false(report.passed);
  });
}

test('a machine that proved everything has no fault', (t) => {
  t.deepEqual(REPORT.faults, []);
  t.true(REPORT.passed);
});
