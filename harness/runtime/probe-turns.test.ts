// SPDX-License-Identifier: Apache-2.0
import { mock } from 'node:test';
import test from 'ava';
import type { BpfProgram } from '../../bpf/napi/index.js';
import { ProbeTurns } from './probe-turns.ts';

/** Time goes only when `pass` says so, 1 ms at a time. */
let nowMs = 1000;
test.before(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(performance, 'now', () => nowMs);
});
test.after.always(() => mock.reset());

function pass(ms: number, until: () => boolean = () => false): void {
  for (let left = ms; left > 0 && !until(); left--) {
    nowMs++;
    mock.timers.tick(1);
  }
}

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

test('programs come once in each period, go again, and it is known for how long they were there', (t) => {
  const { seen, program: one } = program();
  const turns = new ProbeTurns([one], { onMs: 5, everyMs: 20 });
  pass(60);
  t.deepEqual(seen, { attached: 3, detached: 3 });
  t.true(Math.abs(turns.countedNs - 3 * 5e6) <= 3e6, `${turns.countedNs}`);
  turns.close();
  pass(50);
  t.deepEqual(seen, { attached: 3, detached: 3 });
});

test('a turn that the kernel refuses takes away what it began, and is told to who reads', (t) => {
  const good = program();
  const bad = program(1);
  const turns = new ProbeTurns([good.program, bad.program], { onMs: 5, everyMs: 10 });
  pass(10, () => good.seen.attached > 0);
  t.throws(() => turns.countedNs, { message: 'refused' });
  t.deepEqual(good.seen, { attached: 1, detached: 1 });
  turns.close();
});

test('who reads once in a period, and then begins a new one, has one turn between two readings', (t) => {
  const { seen, program: one } = program();
  const turns = new ProbeTurns([one], { onMs: 5, everyMs: 40 });
  for (let i = 1; i <= 5; i++) {
    pass(40);
    turns.restart();
    t.deepEqual(seen, { attached: i, detached: i });
  }
  turns.close();
});
