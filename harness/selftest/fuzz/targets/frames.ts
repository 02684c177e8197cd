// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import type { Catalog } from '../../../core/catalog.ts';
import { canonicalJson } from '../../../core/ids.ts';
import type { PlannedTrial } from '../../../core/trial.ts';
import { parseTrialRecord } from '../../../core/trial-record.ts';
import { FRAME_KINDS, type GuestOutcome } from '../../../lab/engine.ts';
import { decodeFrames } from '../../../lab/frames.ts';
import { judge } from '../../../run/judge.ts';
import type { Draw } from '../../draw.ts';
import { ACCEPTED } from '../fuzz.ts';
import { Finding, type Target, wordsOf } from '../target.ts';

const PAIRS = [
  ['hackbench', 'eevdf'],
  ['perf-sched-pipe', 'scx_simple'],
  ['wakeup-latency', 'mglru-off'],
  ['redis', 'pmvx_chain'],
] as const;

/** What a guest sends, which may be hostile: frames, judged into a record. */
export function framesTarget(catalog: Catalog): Target {
  const judges = PAIRS.map(([workload, policy]) => judgeOf(catalog, workload, policy));
  return {
    name: 'frames',
    about: 'frames of a guest, judged into a record',
    mostBytes: 1 << 20,
    seeds: [healthy(), ejected(), refused(), forked()],
    words: [
      ...FRAME_KINDS,
      ...[
        '{"state":"enabled","ops":"simple"}',
        '{"reason":"no"}',
        '"enableSeq":"1"',
        '"exit":0',
        '"timedOut":true',
        '"knobs":[]',
        'Time: 1\n',
      ],
      ...[
        'sched_ext: BPF scheduler "simple" disabled (runnable task stall)\n',
        "libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n",
        'sched_ext: ',
      ],
    ],
    seal,
    read(input) {
      const { frames, fault } = decodeFrames(input);
      const outcome: GuestOutcome = {
        ended: fault === undefined && frames.at(-1)?.kind === 'done' ? 'done' : 'died',
        frames,
        transcript: 'ab',
        consoleTail: '',
        ...(fault === undefined ? {} : { cause: fault }),
        hostSeconds: 1,
      };
      const words = judges.map((judged) => judged(outcome));
      return words.includes(ACCEPTED) ? ACCEPTED : (words[crc32(input) % words.length] as string);
    },
  };
}

/** Says in words what becomes of a trial; it must be a record that is read as it is written. */
function judgeOf(catalog: Catalog, workloadId: string, policyId: string): (outcome: GuestOutcome) => string {
  const workload = catalog.workloads.get(workloadId)?.definition;
  const policy = catalog.policies.get(policyId)?.definition;
  if (workload === undefined || policy === undefined) throw new Error(`no ${workloadId} or no ${policyId}`);
  const planned = { ...PLANNED, workload: workloadId, policy: policyId };
  return (outcome) => {
    const record = judge(planned, workload, policy, outcome, CONTEXT);
    const kept = parseTrialRecord(JSON.parse(JSON.stringify(record)));
    if (!('record' in kept)) throw new Finding(`it is judged into no record: ${kept.fault}`);
    if (canonicalJson(kept.record) !== canonicalJson(record))
      throw new Finding('the record is not read as it is written');
    if (record.state === 'completed') return ACCEPTED;
    if (record.reason.includes('\n')) throw new Finding(`a reason of several lines: ${record.reason}`);
    return `${record.state}: ${wordsOf(record.reason)}`;
  };
}

const PLANNED = {
  trial: '0001',
  block: 0,
  seed: 7,
  variant: 'v',
  params: {},
  point: 'quiescent',
  role: 'measure',
} as unknown as PlannedTrial;

const CONTEXT = { run: 'fuzz', engine: 'exact', startedAt: '2026-01-01T00:00:00.000Z', attempt: 1 } as const;

const STATE = { state: 'enabled', ops: 'simple', enableSeq: '1', nrRejected: '0', switchAll: '1' };
const OFF = { state: 'disabled', enableSeq: '0', nrRejected: '0' };
const RESULT = {
  exit: 0,
  timedOut: false,
  elapsedNs: 5,
  userNs: 4,
  systemNs: 1,
  voluntarySwitches: 2,
  involuntarySwitches: 3,
  outputBytes: 12,
};

type Part = readonly [kind: string, payload: string | object];

function sent(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map(([kind, payload], at) =>
      frame(
        kind,
        String(1_000_000 * (at + 1)),
        Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
      ),
    ),
  );
}

function frame(kind: string, ns: string, payload: Buffer): Buffer {
  const head = `PMVX 2 ${kind} ${ns} ${payload.length}`;
  const crc = crc32(payload, crc32(head)).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`${head} ${crc}\n`, 'latin1'), payload, Buffer.from('\n')]);
}

const END: readonly Part[] = [
  ['policy-log', ''],
  ['klog', '6,1,1,-;sched_ext: BPF scheduler "simple" disabled (unregistered from user space)\n'],
  ['done', {}],
];

function healthy(): Buffer {
  const output = 'Time: 0.25\n     Total time: 0.006 [sec]\n\n       4.5 usecs/op\n         298138 ops/sec\n';
  return sent([
    ['hello', { version: 2 }],
    ['ready', {}],
    ['prepared', { ops: 'simple', held: true }],
    ['attached', STATE],
    ['warm', { exit: 0 }],
    ['output', output],
    ['result', RESULT],
    ['after', STATE],
    ['probes', PROBES],
    ...END,
  ]);
}

const PROBES = { set: 'io', fields: 59, missed: 0, atNs: [0, 5], counts: [Array(59).fill(1)] };

function ejected(): Buffer {
  const log =
    '3,500,9,-;sched_ext: BPF scheduler "simple" disabled (runnable task stall)\n3,501,9,-;sched_ext: simple: hackbench[7] failed to run\n';
  return sent([
    ['hello', {}],
    ['ready', {}],
    ['attached', STATE],
    ['output', 'Time: 1\n'],
    ['result', RESULT],
    ['after', OFF],
    ['policy-log', 'EXIT: stall'],
    ['klog', log],
    ['done', {}],
  ]);
}

function refused(): Buffer {
  const log =
    "libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n0: R1=ctx()\nR7 invalid mem access 'scalar'\nprocessed 5 insns\n-- END PROG LOAD LOG --\n";
  return sent([
    ['hello', {}],
    ['ready', {}],
    ['refused', { reason: 'exited with 1' }],
    ['policy-log', log],
    ['klog', ''],
    ['done', {}],
  ]);
}

function forked(): Buffer {
  return sent([
    ['hello', {}],
    ['ready', {}],
    ['warm', { exit: 0 }],
    ['forked', { runNs: 5 }],
    ['attached', OFF],
    ['output', 'Time: 2\n'],
    ['result', { ...RESULT, forkNs: 5 }],
    ['after', OFF],
    ...END,
  ]);
}

const HEADER = /PMVX \d+ ([a-z-]{1,32}) (\d{1,24}) (\d{1,12}) ([0-9a-f]{1,8})\n/g;

/** Lengths and check sums as they ought to be, for the pieces between what looks like headers. */
function seal(input: Buffer, draw: Draw): Buffer {
  const text = input.toString('latin1');
  const heads = [...text.matchAll(HEADER)];
  if (heads.length === 0) return input;
  // One may stay wrong.
  const spared = draw.chance(10) ? draw.between(0, heads.length - 1) : -1;
  return Buffer.concat(
    heads.map((head, at) => {
      const [all, kind = '', ns = ''] = head;
      const from = head.index + all.length;
      const to = heads[at + 1]?.index ?? text.length;
      const payload = Buffer.from(text.slice(from, text[to - 1] === '\n' ? to - 1 : to), 'latin1');
      return at === spared ? Buffer.from(text.slice(head.index, to), 'latin1') : frame(kind, ns, payload);
    }),
  );
}
