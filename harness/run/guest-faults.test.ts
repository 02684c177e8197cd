// SPDX-License-Identifier: Apache-2.0
// What a workload does to its own trial, as recorded evidence: late take-overs, processes left behind, settings, foreign schedulers.
import test from 'ava';
import type { ForkPoint } from '../core/fork-point.ts';
import type { Policy, PolicyDefinition } from '../core/policy.ts';
import type { EngineName, PlannedTrial, TrialRecord } from '../core/trial.ts';
import { parseTrialRecord } from '../core/trial-record.ts';
import type { Frame, FrameKind, GuestOutcome } from '../lab/engine.ts';
import { mockOutcome } from '../lab/mock.ts';
import { judge } from './judge.ts';
import { ordersFor } from './orders.ts';
import { EEVDF, HACKBENCH, OUTPUT, plannedTrials, SIMPLE, SPEC } from './scene.ts';
import { changeInWords, watchedSettings } from './watched-settings.ts';

const SLICE = '/sys/kernel/debug/sched/base_slice_ns';
const REPLAY: Policy = {
  ...EEVDF,
  definition: { ...EEVDF.definition, switches: true } as Policy['definition'],
};

interface Case {
  readonly policy?: Policy;
  readonly point?: ForkPoint;
  readonly engine?: EngineName;
  /** Members of the frames of a run that ends well, which they replace. */
  readonly frames?: { readonly [K in FrameKind]?: object };
  /** Frames beside those. */
  readonly more?: readonly (readonly [FrameKind, object])[];
  readonly kernelLog?: string;
  readonly policyLog?: string;
  readonly outcome?: Partial<GuestOutcome>;
}

function recordOf({
  policy = EEVDF,
  point = 'quiescent',
  engine = 'exact',
  frames = {},
  ...rest
}: Case): TrialRecord {
  const planned: PlannedTrial = { ...(plannedTrials(1)[0] as PlannedTrial), policy: policy.id, point };
  const orders = ordersFor(planned, HACKBENCH, policy);
  const good = mockOutcome({ kind: 'run', output: OUTPUT }, orders, SPEC.machine);
  const said = good.frames.map((frame): Frame => {
    const change = frames[frame.kind];
    const log = { klog: rest.kernelLog, 'policy-log': rest.policyLog }[frame.kind as string];
    if (log !== undefined) return { ...frame, payload: Buffer.from(log) };
    if (change === undefined) return frame;
    const merged = { ...(JSON.parse(frame.payload.toString()) as object), ...change };
    return { ...frame, payload: Buffer.from(JSON.stringify(merged)) };
  });
  const more = (rest.more ?? []).map(
    ([kind, payload]): Frame => ({ kind, guestNs: 9n, payload: Buffer.from(JSON.stringify(payload)) }),
  );
  const last = said.pop() as Frame;
  const outcome = { ...good, frames: [...said, ...more, last], ...rest.outcome };
  const context = {
    run: 'r',
    engine,
    startedAt: '2026-01-01T00:00:00.000Z',
    attempt: 1,
    folder: 'consoles/0000',
  };
  const record = judge(planned, HACKBENCH.definition, policy.definition, outcome, context);
  const read = parseTrialRecord(JSON.parse(JSON.stringify(record)));
  if ('fault' in read) throw new Error(read.fault);
  return record;
}

function reasonOf(record: TrialRecord): string {
  return record.state === 'completed' ? 'completed' : `${record.state}: ${record.reason}`;
}

const inRun = (forkS: number, activeS: number, elapsedS = 4) => ({
  result: {
    forkNs: Math.round(forkS * 1e9),
    activeNs: Math.round(activeS * 1e9),
    elapsedNs: Math.round(elapsedS * 1e9),
  },
});

test('a policy that takes over near the planned time completes, and the record says when it did', (t) => {
  const record = recordOf({ policy: SIMPLE, point: '0.5s', frames: inRun(0.5, 0.53) });
  t.is(reasonOf(record), 'completed');
  t.deepEqual(record.takeOver, { chosenNs: 500_000_000, activeNs: 530_000_000 });
});

test('a policy that takes over too late is refused with both times', (t) => {
  t.is(
    reasonOf(recordOf({ policy: SIMPLE, point: '0.5s', frames: inRun(0.5, 1.593) })),
    'refused: the policy took over 1.593 s into the run (chosen at 0.500 s); planned was 0.5 s, give or take 0.075 s',
  );
  t.regex(reasonOf(recordOf({ point: '0.5s', frames: inRun(1.59, 1.59) })), /^refused: .*chosen at 1\.590 s/);
  t.regex(reasonOf(recordOf({ point: '2s', frames: inRun(0.5, 0.5) })), /^refused: .* 0\.500 s into the run/);
});

test('a guest that lives by real time may come later than a virtual one, and not by much', (t) => {
  const late = inRun(0.5, 0.7);
  t.regex(reasonOf(recordOf({ point: '0.5s', frames: late })), /^refused/);
  t.is(reasonOf(recordOf({ point: '0.5s', engine: 'tcg', frames: late })), 'completed');
  t.regex(reasonOf(recordOf({ point: '0.5s', engine: 'tcg', frames: inRun(0.5, 1.59) })), /^refused/);
});

test('a policy that the kernel had only after the run was not what ran', (t) => {
  const record = recordOf({ policy: SIMPLE, point: '2s', frames: inRun(2, 2.05, 2.01) });
  t.regex(reasonOf(record), /^refused: the policy took over after the run, which lasted 2\.010 s/);
});

test('a guest from before take-overs were timed is judged by when it chose', (t) => {
  const record = recordOf({
    point: '0.5s',
    frames: { result: { ...inRun(0.5, 0).result, activeNs: undefined } },
  });
  t.is(reasonOf(record), 'completed');
  t.is(record.takeOver, undefined);
});

test('what a step left behind is a note; what outlived SIGKILL fails the trial', (t) => {
  const warm = { exit: 0, timedOut: false, leftover: 5, stuck: 0, names: ['python3', 'sleep'] };
  const noted = recordOf({ more: [['warm', warm]] });
  t.is(reasonOf(noted), 'completed');
  t.deepEqual(noted.notes, ['warm-up left 5 processes behind, killed at its end: python3, sleep']);
  t.is(
    reasonOf(recordOf({ more: [['warm', { ...warm, stuck: 1, names: ['dd'] }]] })),
    'failed: warm-up: 1 of its processes outlived SIGKILL: dd',
  );
});

test('CPU time of processes that nobody waited for is beside that of the others', (t) => {
  const { usage } = recordOf({ frames: { result: { allUserNs: 7, allSystemNs: 8 } } });
  t.like(usage, { allUserNs: 7, allSystemNs: 8 });
});

const changed = (path: string, before: string, value: string) =>
  [['changed', { path, before, value }]] as const;

test('a setting that the workload changed is no trial of the baseline, and is named with both values', (t) => {
  const record = recordOf({ more: changed(SLICE, '2800000', '3000000') });
  t.is(reasonOf(record), `ejected: the workload changed ${SLICE} from "2800000" to "3000000"`);
  t.deepEqual(record.changed, [{ path: SLICE, before: '2800000', value: '3000000' }]);
});

test('a CPU that goes offline is a note', (t) => {
  const record = recordOf({ more: changed('/sys/devices/system/cpu/online', '0-3', '0-2') });
  t.is(reasonOf(record), 'completed');
  t.deepEqual(record.notes, ['CPUs online: 0-3 before the run, 0-2 after it']);
});

test('of a list of features those that changed are named', (t) => {
  const path = '/sys/kernel/debug/sched/features';
  const before = 'PLACE_LAG RUN_TO_PARITY WAKEUP_PREEMPTION';
  t.is(
    changeInWords({ path, before, value: before.replace('RUN_', 'NO_RUN_') }),
    `${path} from "RUN_TO_PARITY" to "NO_RUN_TO_PARITY"`,
  );
});

test('the baseline is watched for what any policy of the experiment sets; a run that switches is not watched', (t) => {
  const words = { summary: 's', suits: 's', weakness: 's', source: 's' };
  const path = '/proc/sys/net/ipv4/tcp_congestion_control';
  const knob: PolicyDefinition = {
    kind: 'knob',
    ...words,
    subsystem: 'network',
    modules: [],
    settings: [{ path, value: 'bbr' }],
  };
  t.true(watchedSettings([EEVDF.definition, knob]).includes(path));
  t.true(watchedSettings([EEVDF.definition]).includes(SLICE));
  t.deepEqual(watchedSettings([REPLAY.definition, knob]), []);
});

const line = (text: string) => `6,500,9000000,-;sched_ext: ${text}\n`;
const FOREIGN =
  line('BPF scheduler "other" enabled') +
  line('BPF scheduler "other" disabled (unregistered from user space)');

test('a scheduler that the workload loads under the baseline is named as the foreign one that it is', (t) => {
  const gone = recordOf({ frames: { after: { enableSeq: '1', switchAll: '0' } }, kernelLog: FOREIGN });
  t.is(
    reasonOf(gone),
    'ejected: the foreign scheduler "other" was enabled during the run (enable_seq 0 before, 1 after)',
  );
  const there = { after: { state: 'enabled', ops: 'other', enableSeq: '1', switchAll: '0' } };
  t.is(
    reasonOf(recordOf({ frames: there })),
    'ejected: after the run sched_ext is enabled with "other", expected disabled',
  );
});

test('a policy that switches schedulers by itself may enable any; another builtin may not', (t) => {
  const frames = { attached: { enableSeq: '1' }, after: { enableSeq: '2' } };
  t.is(reasonOf(recordOf({ policy: REPLAY, frames })), 'completed');
  t.regex(
    reasonOf(recordOf({ frames })),
    /^ejected: a scheduler was enabled during the run \(enable_seq 1 before, 2 after\)/,
  );
});

test('of a scheduler that has left nobody says that it is there for some tasks only', (t) => {
  const frames = { after: { state: 'disabled', ops: undefined, enableSeq: '1', switchAll: '0' } };
  const record = recordOf({ policy: SIMPLE, frames, kernelLog: '' });
  t.is(reasonOf(record), 'ejected: after the run sched_ext is disabled, expected enabled with "simple"');
});

const HOTPLUG = `6,499,9000000,-;smpboot: CPU 3 is now offline\n${line('BPF scheduler "simple" disabled (unregistered from the main kernel)')}`;

test('a CPU that goes offline ejects a scheduler with its words, and the log that has them', (t) => {
  const off = { after: { state: 'disabled', ops: undefined } };
  const told = recordOf({
    policy: SIMPLE,
    frames: off,
    kernelLog: HOTPLUG,
    policyLog:
      'local=1 global=2\nEXIT: unregistered from the main kernel (cpu 3 going offline, exiting scheduler) on CPU 3\n',
  });
  t.is(reasonOf(told), 'ejected: cpu 3 going offline, exiting scheduler (unregistered from the main kernel)');
  t.is(told.host.log, 'consoles/0000/kernel.log');
  const silent = recordOf({ policy: SIMPLE, frames: off, kernelLog: HOTPLUG });
  t.is(reasonOf(silent), 'ejected: CPU 3 is now offline (unregistered from the main kernel)');
});

test("a scheduler's own error is the reason, before the kernel's word for it", (t) => {
  const kernelLog =
    line('BPF scheduler "simple" disabled (scx_bpf_error)') + line('simple: vt: budget of pid 123 broken');
  const record = recordOf({
    policy: SIMPLE,
    frames: { after: { state: 'disabled', ops: undefined } },
    kernelLog,
  });
  t.is(reasonOf(record), 'ejected: vt: budget of pid 123 broken (scx_bpf_error)');
  if (record.state !== 'completed')
    t.deepEqual(record.schedulerExit, {
      kind: 1025,
      reason: 'scx_bpf_error',
      message: 'vt: budget of pid 123 broken',
    });
});

const OOM = '3,500,9000000000,-;Out of memory: Killed process 212 (python3)\n';

test('a warning of the kernel is a note of a trial that completed, and part of the reason of one that did not', (t) => {
  t.deepEqual(recordOf({ kernelLog: OOM }).notes, ['kernel: Out of memory: Killed process 212 (python3)']);
  const failed = recordOf({ kernelLog: OOM, frames: { result: { exit: 137 } } });
  t.is(
    reasonOf(failed),
    'failed: exit status 137 (signal 9); kernel: Out of memory: Killed process 212 (python3)',
  );
  t.is(failed.host.log, 'consoles/0000/kernel.log');
});

test('a guest whose agent did not run is timed out, by its own kernel or by the host', (t) => {
  const consoleTail =
    '[   20.0] Kernel panic - not syncing: pmvx: the agent was not scheduled when the deadline of its step had passed\r\n';
  t.is(
    reasonOf(recordOf({ outcome: { ended: 'died', consoleTail, cause: 'QEMU exited with code 0' } })),
    'timed-out: still running after 20 s of guest time; the agent was not scheduled to end it',
  );
});

test('probes that were read too late did not count the windows that were planned', (t) => {
  const counts = [Array.from({ length: 15 }, () => 1)];
  const probes = (lateNs: number) =>
    [['probes', { set: 'calls', fields: 15, missed: 0, lateNs, atNs: [0, 100], counts }]] as const;
  t.is(reasonOf(recordOf({ more: probes(10_000_000) })), 'completed');
  t.is(
    reasonOf(recordOf({ more: probes(812_000_000) })),
    'failed: a window of the probes ended 0.812 s after it was due; at most 0.050 s may pass',
  );
});
