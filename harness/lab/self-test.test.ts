// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { GuestOutcome } from './engine.ts';
import type { ReadyImage } from './image.ts';
import { readSelfTest, requirePassed, requireShares, type SelfTestReport } from './self-test.ts';

const REPORT: SelfTestReport = {
  v: 1,
  digest: 'd1',
  passed: true,
  faults: [],
  twins: ['h', 'h'],
  shares: {},
  spread: {},
};

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
    JSON.stringify({ ...REPORT, v: 2 }),
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

function outcomeWith(output: string, end: Partial<GuestOutcome> = {}): GuestOutcome {
  const frames = [{ kind: 'output', guestNs: 0n, payload: Buffer.from(output) }] as const;
  return { ended: 'done', frames, transcript: '', consoleTail: '', hostSeconds: 1, ...end };
}

const TIMES = 'alone 0 100\nalone 1 101\ntogether 0 102\ntogether 1 103\nunpinned 0 104\n';

test('the times of a machine that ended well are read', async (t) => {
  const image = await imageWith(t);
  t.deepEqual(requireShares(outcomeWith(TIMES), 2, image), {
    alone: [100, 101],
    together: [102, 103],
    unpinned: 104,
  });
});

test('a machine that was killed, stalled or printed half is no verdict on the image but an error', async (t) => {
  const image = await imageWith(t);
  const lost = [
    outcomeWith(TIMES, { ended: 'died', cause: 'QEMU was killed by SIGKILL' }),
    outcomeWith('', { ended: 'deadline', consoleTail: 'last\nwords' }),
    outcomeWith(TIMES.replace('together 1 103\n', '')),
  ];
  const errors = lost.map((outcome) =>
    t.throws(() => requireShares(outcome, 2, image), { instanceOf: PmvxError }),
  );
  t.is(
    errors[0]?.message.split('; alone')[0],
    'image quick: could not be tested: a machine of 2 vCPUs ended without its times (QEMU was killed by SIGKILL',
  );
  t.regex(
    errors[1]?.message ?? '',
    /was stopped at its deadline without its times \(last \| words\)\. Nothing is decided/,
  );
  t.true(errors.every((error) => error?.code === ExitCode.image));
});
