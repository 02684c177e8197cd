// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { ForkPoint } from '../core/fork-point.ts';
import type { Policy } from '../core/policy.ts';
import type { PlannedTrial, TrialRecord, UnmeasuredTrial } from '../core/trial.ts';
import { parseTrialRecord } from '../core/trial-record.ts';
import type { Frame, FrameKind, GuestOutcome } from '../lab/engine.ts';
import { type MockBehaviour, mockOutcome } from '../lab/mock.ts';
import { judge } from './judge.ts';
import { ordersFor } from './orders.ts';
import { EEVDF, HACKBENCH, OUTPUT, plannedTrials, SIMPLE, SPEC } from './scene.ts';

type Behaviour = Exclude<MockBehaviour, { kind: 'hang' }>;

const CONTEXT = { run: 'r', engine: 'mock', startedAt: '2026-01-01T00:00:00.000Z', attempt: 1 } as const;

function planned(policy: Policy): PlannedTrial {
  return { ...(plannedTrials(1)[0] as PlannedTrial), policy: policy.id };
}

function outcomeOf(behaviour: Behaviour, policy: Policy): GuestOutcome {
  return mockOutcome(behaviour, ordersFor(planned(policy), HACKBENCH, policy), SPEC.machine);
}

function judged(outcome: GuestOutcome, policy: Policy): TrialRecord {
  return judge(planned(policy), HACKBENCH.definition, policy.definition, outcome, CONTEXT);
}

function unmeasured(behaviour: Behaviour, policy = SIMPLE): UnmeasuredTrial {
  return asUnmeasured(judged(outcomeOf(behaviour, policy), policy));
}

function asUnmeasured(record: TrialRecord): UnmeasuredTrial {
  if (record.state === 'completed') throw new Error('the trial completed');
  if ('metrics' in record) throw new Error(`a ${record.state} trial carries metrics`);
  return record;
}

/** The outcome with the payload of one kind of frame replaced; `undefined` takes the frame away. */
function altered(outcome: GuestOutcome, kind: FrameKind, payload: object | string | undefined): GuestOutcome {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const frames = outcome.frames.flatMap((frame): Frame[] => {
    if (frame.kind !== kind) return [frame];
    return payload === undefined ? [] : [{ ...frame, payload: Buffer.from(text) }];
  });
  return { ...outcome, frames };
}

const GOOD: Behaviour = { kind: 'run', output: OUTPUT };

for (const policy of [EEVDF, SIMPLE]) {
  test(`a run under ${policy.id} that ends well completes with the workload's metric and the kernel's evidence`, (t) => {
    const record = judged(outcomeOf(GOOD, policy), policy);
    if (record.state !== 'completed') return t.fail(record.reason);
    t.deepEqual(record.metrics, [
      { name: 'time', unit: 's', direction: 'lower', primary: true, value: 0.136 },
    ]);
    t.is(record.schedBefore?.state, policy === EEVDF ? 'disabled' : 'enabled');
    t.is(record.schedAfter?.ops, policy === EEVDF ? undefined : 'simple');
    t.is(record.exitStatus, 0);
    t.is(record.output, OUTPUT);
    t.is(record.outputBytes, OUTPUT.length);
    t.regex(record.transcript ?? '', /^[0-9a-f]{64}$/);
  });
}

/** A run in which the policy took over, by a workload that ends as `ends` says; `result` replaces what the guest said of it. */
function judgedInRun(ends: 'work' | 'time', result?: object, point: ForkPoint = '2s'): TrialRecord {
  const trial = { ...planned(SIMPLE), point };
  const outcome = mockOutcome(GOOD, ordersFor(trial, HACKBENCH, SIMPLE), SPEC.machine);
  const said = outcome.frames.find(({ kind }) => kind === 'result')?.payload.toString() ?? '{}';
  const seen =
    result === undefined ? outcome : altered(outcome, 'result', { ...JSON.parse(said), ...result });
  return judge(trial, { ...HACKBENCH.definition, ends }, SIMPLE.definition, seen, CONTEXT);
}

test('a policy that took over in a run of fixed work is scored by the time from there to its end', (t) => {
  const record = judgedInRun('work', { elapsedNs: 2_750_000_000, forkNs: 2_000_000_000 });
  if (record.state !== 'completed') return t.fail(record.reason);
  t.is(record.point, '2s');
  t.deepEqual(record.metrics, [
    { name: 'time', unit: 's', direction: 'lower', primary: false, value: 0.136 },
    { name: 'time_after', unit: 's', direction: 'lower', primary: true, value: 0.75 },
  ]);
});

test('a run of a set time is never scored by its length, wherever the policy took over', (t) => {
  const record = judgedInRun('time');
  if (record.state !== 'completed') return t.fail(record.reason);
  t.deepEqual(
    record.metrics.map(({ name, primary }) => [name, primary]),
    [['time', true]],
  );
});

test('a guest that does not say when the policy took over, or says otherwise than planned, proves nothing', (t) => {
  const reasonOf = (...args: Parameters<typeof judgedInRun>) => asUnmeasured(judgedInRun(...args)).reason;
  t.is(
    reasonOf('work', { forkNs: undefined }),
    'the guest does not say when the policy took over; planned was 2s',
  );
  t.is(
    reasonOf('work', { elapsedNs: 1.5e9 }),
    'the guest says that the policy took over after 2 s of the run, which lasted 1.5 s',
  );
  t.is(
    reasonOf('work', { forkNs: 1e9 }, 'quiescent'),
    'the guest says that the policy took over after 1 s of the run; planned was quiescent',
  );
});

test('a run that ended before the policy could take over is refused with its length', (t) => {
  const reason = 'the run ended after 0.25 s, before the fork point at 2 s';
  const trial = { ...planned(EEVDF), point: '2s' } as const;
  const outcome = mockOutcome({ kind: 'refuse', reason }, ordersFor(trial, HACKBENCH, EEVDF), SPEC.machine);
  const record = judge(trial, HACKBENCH.definition, EEVDF.definition, outcome, CONTEXT);
  t.like(record, { state: 'refused', reason, point: '2s' });
});

test('the same outcome is judged to the same record', (t) => {
  t.deepEqual(judged(outcomeOf(GOOD, SIMPLE), SIMPLE), judged(outcomeOf(GOOD, SIMPLE), SIMPLE));
});

test("a refused policy keeps the verifier's last words", (t) => {
  const record = unmeasured({
    kind: 'refuse',
    reason: 'scx_simple ended with status 1 before the kernel named it',
    policyLog: 'libbpf: prog: BPF program load failed: -EACCES\nR1 invalid mem access\n',
  });
  t.is(record.state, 'refused');
  t.is(record.reason, 'R1 invalid mem access; scx_simple ended with status 1 before the kernel named it');
  t.regex(record.detail ?? '', /R1 invalid mem access$/);
});

test('a refused policy says first what the verifier found', (t) => {
  const policyLog = [
    "libbpf: prog 'simple_init': -- BEGIN PROG LOAD LOG --",
    '; a = b->c; @ simple.bpf.c:81',
    '0: (79) r2 = *(u64 *)(r1 +0)',
    "R1 invalid mem access 'scalar'",
    'processed 1 insns (limit 1000000)',
    '-- END PROG LOAD LOG --',
  ].join('\n');
  const record = unmeasured({ kind: 'refuse', reason: 'scheduler process exited with status 1', policyLog });
  t.is(
    record.reason,
    "simple.bpf.c:81: R1 invalid mem access 'scalar' (the verifier refused simple_init); scheduler process exited with status 1",
  );
  t.regex(record.detail ?? '', /^; a = .*\n0: \(79\).*\nR1 invalid mem access 'scalar'\n/);
});

test('a scheduler that the kernel does not name is refused, whatever the workload measured', (t) => {
  const outcome = outcomeOf(GOOD, SIMPLE);
  const off = altered(outcome, 'attached', { state: 'disabled' });
  t.like(asUnmeasured(judged(off, SIMPLE)), {
    state: 'refused',
    reason: 'sched_ext is disabled, expected enabled with "simple"',
  });
  const other = altered(outcome, 'attached', { state: 'enabled', ops: 'qmap\n' });
  t.like(asUnmeasured(judged(other, SIMPLE)), {
    state: 'refused',
    reason: 'sched_ext is enabled with "qmap", expected enabled with "simple"',
  });
});

test('a scheduler that leaves ordinary tasks to EEVDF is refused: the workload would not be under it', (t) => {
  const partial = { state: 'enabled', ops: 'simple', switchAll: '0' };
  t.like(asUnmeasured(judged(altered(outcomeOf(GOOD, SIMPLE), 'attached', partial), SIMPLE)), {
    state: 'refused',
    reason: 'sched_ext is enabled with "simple" for some tasks only (switch_all 0)',
  });
});

test('the built-in scheduler is refused while a sched_ext scheduler is on, or when the kernel says nothing', (t) => {
  const outcome = outcomeOf(GOOD, EEVDF);
  const on = altered(outcome, 'attached', { state: 'enabled', ops: 'simple' });
  t.is(asUnmeasured(judged(on, EEVDF)).reason, 'sched_ext is enabled with "simple", expected disabled');
  const silent = altered(outcome, 'attached', {});
  t.is(asUnmeasured(judged(silent, EEVDF)).reason, 'the kernel did not say which scheduler is active');
});

test("an ejection outweighs the workload's success and names kind and reason", (t) => {
  const record = unmeasured({
    kind: 'eject',
    reason: 'runnable task stall',
    message: 'kworker/0:1[11] failed to run for 5.376s',
    output: OUTPUT,
  });
  t.is(record.state, 'ejected');
  const message = 'kworker/0:1[11] failed to run for 5.376s';
  t.is(record.reason, `${message} (runnable task stall)`);
  t.deepEqual(record.schedulerExit, { kind: 1026, reason: 'runnable task stall', message });
  t.regex(record.detail ?? '', /after the run sched_ext is disabled/);
  t.regex(record.detail ?? '', /failed to run for 5\.376s/);
});

test("an ejection outweighs the workload's failure and its deadline", (t) => {
  const outcome = outcomeOf({ kind: 'eject', reason: 'scx_bpf_error', output: '' }, SIMPLE);
  const result = outcome.frames.find((frame) => frame.kind === 'result');
  const run = JSON.parse(String(result?.payload)) as object;
  for (const worse of [{ exit: 1 }, { exit: 137, timedOut: true }]) {
    const record = asUnmeasured(judged(altered(outcome, 'result', { ...run, ...worse }), SIMPLE));
    t.is(record.state, 'ejected');
    t.is(record.schedulerExit?.kind, 1025);
  }
});

test('a scheduler process that dies in mid-run is an ejection of kind 64', (t) => {
  const record = unmeasured({ kind: 'eject', reason: 'unregistered from user space', output: OUTPUT });
  t.deepEqual([record.state, record.schedulerExit?.kind], ['ejected', 64]);
});

test('a scheduler that was replaced or loaded again is an ejection, even without a word in the log', (t) => {
  const quiet = altered(outcomeOf(GOOD, SIMPLE), 'klog', '');
  const again = altered(quiet, 'after', { state: 'enabled', ops: 'simple', enableSeq: '2' });
  t.like(asUnmeasured(judged(again, SIMPLE)), {
    state: 'ejected',
    reason: 'a scheduler was enabled during the run (enable_seq 1 before, 2 after)',
  });
  const replaced = altered(quiet, 'after', { state: 'enabled', ops: 'qmap', enableSeq: '2' });
  t.is(
    asUnmeasured(judged(replaced, SIMPLE)).reason,
    'after the run sched_ext is enabled with "qmap", expected enabled with "simple"',
  );
});

test('a scheduler that was seen before the kernel had counted it is the one that is counted later', (t) => {
  const uncounted = { state: 'enabled', ops: 'simple', enableSeq: '0' };
  const outcome = altered(outcomeOf(GOOD, SIMPLE), 'attached', uncounted);
  t.is(judged(outcome, SIMPLE).state, 'completed');
  const again = altered(outcome, 'after', { ...uncounted, enableSeq: '2' });
  t.is(judged(again, SIMPLE).state, 'ejected');
});

test('the unregistering at the end of every trial is no ejection', (t) => {
  const outcome = outcomeOf(GOOD, SIMPLE);
  t.regex(
    String(outcome.frames.find(({ kind }) => kind === 'klog')?.payload),
    /unregistered from user space/,
  );
  t.is(judged(outcome, SIMPLE).state, 'completed');
  const uncounted = altered(altered(outcome, 'attached', { state: 'enabled', ops: 'simple' }), 'after', {
    state: 'enabled',
    ops: 'simple',
  });
  t.is(judged(uncounted, SIMPLE).state, 'completed');
});

test('without sequence numbers an error in the kernel log is an ejection', (t) => {
  const outcome = altered(
    altered(altered(outcomeOf(GOOD, SIMPLE), 'attached', { state: 'enabled', ops: 'simple' }), 'after', {
      state: 'enabled',
      ops: 'simple',
    }),
    'klog',
    '<3>[    7.1] sched_ext: simple: BPF scheduler "simple" disabled (runtime error)\n',
  );
  t.deepEqual(asUnmeasured(judged(outcome, SIMPLE)).schedulerExit, { kind: 1024, reason: 'runtime error' });
});

test('a workload that exits with an error is failed and keeps its output', (t) => {
  const record = unmeasured({ kind: 'run', output: 'out of memory\n', exit: 1 });
  t.like(record, { state: 'failed', reason: 'exit status 1', output: 'out of memory\n', exitStatus: 1 });
  t.is(unmeasured({ kind: 'run', output: OUTPUT, exit: 139 }).reason, 'exit status 139 (signal 11)');
});

test('a workload that ends well without its metric, or with two, is failed', (t) => {
  for (const output of ['', 'Running\n', 'Time: \n', 'Time: 0.1.2\n', `${OUTPUT}${OUTPUT}`]) {
    const record = unmeasured({ kind: 'run', output });
    t.is(record.state, 'failed', JSON.stringify(output));
    t.regex(record.reason, /time/);
    t.is(record.output, output);
  }
});

test('a warm-up that fails fails the trial', (t) => {
  const outcome = outcomeOf(GOOD, SIMPLE);
  const warm: Frame = { kind: 'warm', guestNs: 1n, payload: Buffer.from('{"exit":2}') };
  const record = judged({ ...outcome, frames: [warm, ...outcome.frames] }, SIMPLE);
  t.like(record, { state: 'failed', reason: 'warm-up: exit status 2' });
});

test("a workload that the agent stopped is timed out at its guest's deadline", (t) => {
  const record = unmeasured({ kind: 'overrun', output: 'half' });
  t.like(record, { state: 'timed-out', reason: 'still running after 20 s of guest time', output: 'half' });
});

test("a guest that hangs is timed out with the console's last words", (t) => {
  const record = unmeasured({ kind: 'deadline', console: '[ 1.0] mounting\n[ 2.0] waiting for it\n' });
  t.like(record, {
    state: 'timed-out',
    reason: 'the guest was stopped after 0 s of host time; its last word was "ready"',
    detail: '[ 1.0] mounting\n[ 2.0] waiting for it',
  });
});

test('a guest that hangs after its scheduler was ejected is ejected', (t) => {
  const hung = outcomeOf({ kind: 'die' }, SIMPLE);
  const consoleTail = '[ 4.0] sched_ext: BPF scheduler "simple" disabled (runnable task stall)\n';
  const record = asUnmeasured(judged({ ...hung, ended: 'deadline', consoleTail }, SIMPLE));
  t.deepEqual([record.state, record.schedulerExit?.kind], ['ejected', 1026]);
});

test('a VM that dies is crashed, with its cause', (t) => {
  const record = unmeasured({
    kind: 'die',
    cause: 'QEMU was killed by SIGKILL',
    console: '[ 3.0] busy\n',
  });
  t.like(record, {
    state: 'crashed',
    reason: 'the VM died after "attached": QEMU was killed by SIGKILL',
    detail: '[ 3.0] busy',
  });
});

test("a kernel panic is crashed with the kernel's words, whether the VM ended or hung", (t) => {
  const console = '[ 3.0] Kernel panic - not syncing: Attempted to kill init!\n[ 3.1] CPU: 0\n';
  for (const behaviour of [
    { kind: 'die', console },
    { kind: 'deadline', console },
  ] as const) {
    const record = unmeasured(behaviour);
    t.is(record.state, 'crashed');
    t.is(record.reason, 'Kernel panic - not syncing: Attempted to kill init!');
    t.regex(record.detail ?? '', /CPU: 0$/);
  }
});

test('of a console that goes on after the panic, the lines around the panic are kept, without carriage returns', (t) => {
  const numbered = (word: string) => Array.from({ length: 60 }, (_, at) => `${word} ${at}\r\n`).join('');
  const console = `${numbered('before')}[ 3.0] Kernel panic - not syncing: x\r\n${numbered('trace')}`;
  const lines = (unmeasured({ kind: 'die', console }).detail ?? '').split('\n');
  t.is(lines.length, 30);
  t.is(lines[0], 'before 52');
  t.is(lines[8], '[ 3.0] Kernel panic - not syncing: x');
  t.is(lines[29], 'trace 20');
});

test("an agent's own fault is crashed", (t) => {
  t.like(unmeasured({ kind: 'error', reason: 'mount /sys: EBUSY' }), {
    state: 'crashed',
    reason: 'guest agent: mount /sys: EBUSY',
  });
});

for (const kind of ['attached', 'result', 'after'] as const) {
  test(`a guest that ends without its "${kind}" frame proves nothing and is crashed`, (t) => {
    const record = asUnmeasured(judged(altered(outcomeOf(GOOD, EEVDF), kind, undefined), EEVDF));
    t.is(record.state, 'crashed');
    t.is(
      record.reason,
      `the guest ended without its "${kind}" frame, so nothing is proven about the built-in scheduler`,
    );
  });
}

test('a frame that cannot be read is crashed, not ignored', (t) => {
  const record = asUnmeasured(judged(altered(outcomeOf(GOOD, SIMPLE), 'result', '{"exit":0'), SIMPLE));
  t.is(record.state, 'crashed');
  t.is(record.reason, 'the guest sent a frame that cannot be read: result: "{\\"exit\\":0"');
});

test('numbers that no agent sends are a crash, and the record of it can be read again', (t) => {
  const good = {
    ...{ exit: 0, timedOut: false, elapsedNs: 9, userNs: 9, systemNs: 9 },
    ...{ voluntarySwitches: 1, involuntarySwitches: 1, outputBytes: 1 },
  };
  for (const [key, value] of Object.entries({ outputBytes: -1, elapsedNs: -5, userNs: 0.5, exit: 1e300 })) {
    const text = JSON.stringify({ ...good, [key]: value });
    const record = asUnmeasured(judged(altered(outcomeOf(GOOD, SIMPLE), 'result', text), SIMPLE));
    t.is(record.state, 'crashed', key);
    t.false('fault' in parseTrialRecord(JSON.parse(JSON.stringify(record))), key);
  }
});
