// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { BpfProgram } from '../../bpf/napi/index.js';
import { ProbeTurns } from './probe-turns.ts';

/** A program that counts how often it was attached and detached, and refuses from the `refuseFrom`-th time on. */
function program(refuseFrom = Number.POSITIVE_INFINITY) {
  const seen = { attached: 0, detached: 0 };
  const attach = () => {
    if (seen.attached + 1 >= refuseFrom) throw Object.assign(new Error('refused'), { code: 'ENOMEM' });
    seen.attached++;
    return { destroy: () => void seen.detached++ };
  };
  return { seen, program: { attach } as unknown as BpfProgram };
}

test('programs come once in each period, go again, and it is known for how long they were there', async (t) => {
  const { seen, program: one } = program();
  const turns = new ProbeTurns([one], { onMs: 5, everyMs: 20 });
  while (seen.detached < 3) await delay(1);
  const counted = turns.countedNs;
  // A timer begins at the time that the event loop last looked at, and may fire that much earlier.
  t.true(counted >= 3 * 1e6, `${counted}`);
  turns.close();
  const { attached } = seen;
  await delay(50);
  t.deepEqual(seen, { attached, detached: attached });
});

test('a turn that the kernel refuses takes away what it began, and is told to who reads', async (t) => {
  const good = program();
  const bad = program(1);
  const turns = new ProbeTurns([good.program, bad.program], { onMs: 5, everyMs: 10 });
  while (good.seen.attached === 0) await delay(1);
  t.throws(() => turns.countedNs, { message: 'refused' });
  t.deepEqual(good.seen, { attached: 1, detached: 1 });
  turns.close();
});

test('who reads once in a period, and then begins a new one, has one turn between two readings', async (t) => {
  const { seen, program: one } = program();
  const turns = new ProbeTurns([one], { onMs: 5, everyMs: 40 });
  for (let i = 1; i <= 5; i++) {
    await delay(60);
    turns.restart();
    t.true(seen.attached >= i && seen.detached === seen.attached, JSON.stringify({ i, ...seen }));
  }
  turns.close();
});
