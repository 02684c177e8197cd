// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { sealLine } from '../core/sealed-line.ts';
import { parseTrialRecord } from '../core/trial-record.ts';
import { FRAME_KINDS, type Frame, type FrameKind, type GuestOutcome } from '../lab/engine.ts';
import { mockOutcome } from '../lab/mock.ts';
import { LONGEST_WORDS } from './evidence.ts';
import { judge } from './judge.ts';
import { ordersFor } from './orders.ts';
import { HACKBENCH, OUTPUT, plannedTrials, SIMPLE, SPEC } from './scene.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const MIB = 2 ** 20;
const CONTEXT = { run: 'r', engine: 'mock', startedAt: '2026-01-01T00:00:00.000Z', attempt: 1 } as const;
const [, PLANNED] = plannedTrials(2);

/** A guest that does all that is asked of it. */
function honest(): GuestOutcome {
  if (PLANNED === undefined) throw new Error('no trial is planned');
  return mockOutcome({ kind: 'run', output: OUTPUT }, ordersFor(PLANNED, HACKBENCH, SIMPLE), SPEC.machine);
}

function judged(frames: readonly Frame[]) {
  if (PLANNED === undefined) throw new Error('no trial is planned');
  return judge(PLANNED, HACKBENCH.definition, SIMPLE.definition, { ...honest(), frames }, CONTEXT);
}

function frame(kind: FrameKind, payload: Buffer): Frame {
  return { kind, guestNs: 1n, payload };
}

/** Payloads that are long for whoever splits them, quotes them, or parses them. */
function hostile(kind: FrameKind): Frame[][] {
  const lines = frame(kind, Buffer.alloc(16 * MIB, 'sched_ext: a\n'));
  const quoted = frame(kind, Buffer.alloc(16 * MIB, 1));
  const state = { state: 'enabled', ops: 'x'.repeat(8 * MIB), reason: '\u0001'.repeat(4 * MIB) };
  const many = Array.from({ length: 100_000 }, () => frame(kind, Buffer.from('sched_ext: \u0001\n')));
  return [[lines], [quoted, quoted], [frame(kind, Buffer.from(JSON.stringify(state)))], many];
}

for (const kind of FRAME_KINDS.filter((each) => each !== 'done')) {
  test(`however much a guest says in frames "${kind}", it is judged soon and its record is short`, (t) => {
    t.timeout(600_000);
    for (const [at, more] of hostile(kind).entries()) {
      const began = process.cpuUsage();
      const refused = frame('refused', Buffer.from('{"reason":"no"}'));
      // Among what an honest guest says, and where the words of logs are kept.
      for (const frames of [
        [...honest().frames.slice(0, -1), ...more],
        [...more, refused],
      ]) {
        const record = judged(frames);
        const line = sealLine(record);
        t.true(line.length < 4 * MIB, `${at}: ${line.length} bytes`);
        t.false('fault' in parseTrialRecord(JSON.parse(line.toString())));
        if (kind !== 'trace') t.is(record.state, 'crashed', `${at}`);
      }
      const { user, system } = process.cpuUsage(began);
      t.true(user + system < 10e6, `${at}: ${user + system} us of processor time`);
    }
  });
}

test('what the agent keeps of a log, and all that it says of sixteen settings, is read', (t) => {
  const header = readFileSync(join(ROOT, 'bpf/guest/agent/agent.h'), 'utf8');
  const number = (name: string) => Number(new RegExp(`^#define ${name} \\(?(\\d+)`, 'm').exec(header)?.[1]);
  t.true((number('LOG_LIMIT') + 8) * 1024 < LONGEST_WORDS);
  // Four texts of each setting, each character escaped.
  t.true(number('KNOBS_MAX') * 4 * number('SETTING_MAX') * 6 < LONGEST_WORDS / 2);
});
