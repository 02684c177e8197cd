// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { GuestOutcome } from '../engine.ts';
import { requireShares } from './unit-work.ts';

const IMAGE = {
  manifest: { v: 1, recipe: 'quick', id: 'i', guestKernel: '7', qemuVersion: '10', rootMiB: 1, files: {} },
} as const;

function outcomeWith(output: string, end: Partial<GuestOutcome> = {}): GuestOutcome {
  const frames = [{ kind: 'output', guestNs: 0n, payload: Buffer.from(output) }] as const;
  return { ended: 'done', frames, transcript: '', consoleTail: '', hostSeconds: 1, ...end };
}

const TIMES = 'alone 0 100\nalone 1 101\ntogether 0 102\ntogether 1 103\nunpinned 0 104\n';

test('the times of a machine that ended well are read', (t) => {
  t.deepEqual(requireShares(outcomeWith(TIMES), 2, IMAGE), {
    alone: [100, 101],
    together: [102, 103],
    unpinned: 104,
  });
});

test('a machine that was killed, stalled or printed half is no verdict on the image but an error', (t) => {
  const lost = [
    outcomeWith(TIMES, { ended: 'died', cause: 'QEMU was killed by SIGKILL' }),
    outcomeWith('', { ended: 'deadline', consoleTail: 'last\nwords' }),
    outcomeWith(TIMES.replace('together 1 103\n', '')),
  ];
  const errors = lost.map((outcome) =>
    t.throws(() => requireShares(outcome, 2, IMAGE), { instanceOf: PmvxError }),
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

test('what else the guest printed is not mistaken for times', (t) => {
  const shares = requireShares(outcomeWith(`Running in process mode\nTime: 0.1\n${TIMES}`), 2, IMAGE);
  t.is(shares.unpinned, 104);
});
