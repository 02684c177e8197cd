// SPDX-License-Identifier: Apache-2.0
// Real machines that go wrong, each in its own way: what the record says, and that no metric comes of it.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Policy } from '../../core/policy.ts';
import type { TrialRecord, UnmeasuredTrial } from '../../core/trial.ts';
import type { Workload } from '../../core/workload.ts';
import { decodeFrames } from '../../lab/frames.ts';
import { vmEngine } from '../../lab/vm-engine.ts';
import { EEVDF } from '../scene.ts';
import {
  labEngine,
  measuredOf,
  processPolicy,
  runOne,
  scriptWorkload,
  smallMachine,
  type TrialEnd,
} from './stage.ts';
import { processesIn, until } from './watch-processes.ts';

const MACHINE = smallMachine(2);
const SIMPLE = processPolicy('scx_simple', ['/opt/pmvx/sched/scx_simple'], 'simple');
const SPIN = scriptWorkload('spin', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo Time: $i');

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-outcomes-')));
test.after.always(() => rm(scratch, { recursive: true, force: true }));
const exact = labEngine('exact');

let folders = 0;
function newFolder(): string {
  return join(scratch, String(folders++));
}

function trialOf(
  policy: Policy,
  workload: Workload,
  engine = exact,
  consoles = newFolder(),
): Promise<TrialEnd> {
  return runOne({ engine, machine: MACHINE, policy, workload, consoles });
}

function unmeasured(record: TrialRecord): UnmeasuredTrial {
  if (record.state === 'completed') throw new Error(`completed: ${JSON.stringify(record.metrics)}`);
  if ('metrics' in record) throw new Error(`${record.state} with metrics`);
  return record;
}

/** A trial that nothing disturbs; others are compared with it. */
const undisturbed = trialOf(SIMPLE, SPIN);

test('a scheduler that is ejected in mid-run yields no metric, although the workload ends well and prints one', async (t) => {
  const workload = scriptWorkload(
    'sysrq-s',
    'echo 1 > /proc/sys/kernel/sysrq; sleep 0.2; echo S > /proc/sysrq-trigger; sleep 0.2; echo "Time: 0.1"',
  );
  const record = unmeasured((await trialOf(SIMPLE, workload)).record);
  t.is(record.state, 'ejected');
  t.is(record.reason, 'disabled by sysrq-S');
  t.deepEqual(record.schedulerExit, { kind: 67, reason: 'disabled by sysrq-S' });
  t.regex(record.detail ?? '', /sched_ext: BPF scheduler "simple" disabled \(disabled by sysrq-S\)/);
  t.is(record.exitStatus, 0);
  t.is(record.output, 'Time: 0.1\n');
  t.is(record.schedBefore?.ops, 'simple');
  t.is(record.schedAfter?.state, 'disabled');
});

test('a workload that exits non-zero has failed and keeps the beginning and the end of its output', async (t) => {
  const workload = scriptWorkload('fails', 'echo begin; seq 1 60000; echo "Time: 0.1"; echo end >&2; exit 3');
  const record = unmeasured((await trialOf(EEVDF, workload)).record);
  t.is(record.state, 'failed');
  t.is(record.reason, 'exit status 3');
  t.is(record.exitStatus, 3);
  const output = record.output ?? '';
  t.regex(output, /^begin\n1\n2\n3\n/);
  t.regex(output, /\n\[pmvx: \d+ bytes left out\]\n/);
  t.regex(output, /\n59999\n60000\nTime: 0\.1\nend\n$/);
  t.is(record.outputBytes, 6 + 348_894 + 10 + 4);
  t.true(Buffer.byteLength(output) < 2 ** 18 + 100);
});

test('a workload that is cut off within its metric has failed and keeps what it printed', async (t) => {
  const record = unmeasured((await trialOf(SIMPLE, scriptWorkload('half', 'printf "Time: 0.2"'))).record);
  t.is(record.state, 'failed');
  t.is(record.reason, 'metric time is missing; nearest line: "Time: 0.2"');
  t.is(record.exitStatus, 0);
  t.is(record.output, 'Time: 0.2');
});

test('a workload that outlives its deadline is killed in the guest, with all that it started', async (t) => {
  const workload = scriptWorkload('endless', 'echo "Time: 0.1"; sleep 1000 & sleep 1000', {
    deadline_s: 0.3,
  });
  const record = unmeasured((await trialOf(SIMPLE, workload)).record);
  t.is(record.state, 'timed-out');
  t.is(record.reason, 'still running after 0.3 s of guest time');
  t.is(record.exitStatus, 137);
  t.is(record.output, 'Time: 0.1\n');
});

test('a guest whose kernel panics has crashed, with its last words, and is not tried again', async (t) => {
  const workload = scriptWorkload('panics', 'echo "Time: 0.1"; echo c > /proc/sysrq-trigger');
  const { record, events } = await trialOf(SIMPLE, workload);
  const { state, reason, detail, host } = unmeasured(record);
  t.is(state, 'crashed');
  t.is(reason, 'Kernel panic - not syncing: sysrq triggered crash');
  t.regex(
    detail ?? '',
    /Kernel panic - not syncing: sysrq triggered crash\n.*\n(?:.*\n)*.*sysrq_handle_crash/,
  );
  t.is(host.attempt, 1);
  t.false(events.some(({ kind }) => kind === 'lost'));
});

test('a guest that hangs is stopped by the host, and its console is shown', async (t) => {
  // Long enough for a boot as this host is now.
  const deadlineMs = 2000 * (await undisturbed).record.host.seconds;
  const engine = labEngine('exact', (image) =>
    vmEngine('exact', image, { hostDeadlineMs: () => deadlineMs }),
  );
  const workload = scriptWorkload('hangs', 'echo "<1>about to hang" > /dev/kmsg; while :; do :; done', {
    deadline_s: 3600,
  });
  const consoles = newFolder();
  const record = unmeasured((await trialOf(SIMPLE, workload, engine, consoles)).record);
  t.is(record.state, 'timed-out');
  t.regex(
    record.reason,
    /^the guest was stopped after \d+ s of host time; its last word was "attached", and its agent did not end the workload at 3600 s/,
  );
  t.regex(record.detail ?? '', /about to hang/);
  t.deepEqual(processesIn(consoles), []);
});

test('a scheduler program that is not there is refused with its words', async (t) => {
  const missing = processPolicy('missing', ['/opt/pmvx/sched/scx_none'], 'none');
  const record = unmeasured((await trialOf(missing, SPIN)).record);
  t.is(record.state, 'refused');
  t.is(
    record.reason,
    '/opt/pmvx/sched/scx_none: No such file or directory; scheduler process exited with status 127 before it attached',
  );
  t.is(record.detail, '/opt/pmvx/sched/scx_none: No such file or directory');
  t.is(record.output, undefined);
  t.is(record.schedBefore, undefined);
});

test('a scheduler that the kernel names otherwise is refused: nothing runs under a policy that was not asked for', async (t) => {
  const other = processPolicy('other', ['/opt/pmvx/sched/scx_simple'], 'other');
  const record = unmeasured((await trialOf(other, SPIN)).record);
  t.is(record.state, 'refused');
  t.is(record.reason, 'the kernel runs "simple", wanted "other"');
  t.is(record.output, undefined);
});

test('a QEMU that is killed in mid-trial is tried again, and nothing of it shows in the result', async (t) => {
  const consoles = newFolder();
  const end = trialOf(SIMPLE, SPIN, exact, consoles);
  const data = join(consoles, '0000/data');
  const attached = () =>
    existsSync(data) && decodeFrames(readFileSync(data)).frames.some(({ kind }) => kind === 'attached');
  await until('the scheduler is attached', attached, 900_000);
  const [pid, ...others] = processesIn(consoles);
  t.deepEqual(others, []);
  process.kill(pid as number, 'SIGKILL');
  const { record, events } = await end;
  const lost = events.find(({ kind }) => kind === 'lost');
  t.is(lost?.kind === 'lost' ? lost.cause : undefined, 'QEMU was killed by SIGKILL');
  t.is(record.host.attempt, 2);
  t.is(record.state, 'completed');
  t.deepEqual(measuredOf(record), measuredOf((await undisturbed).record));
});

test('a trial whose QEMU is killed twice is left without a record: it says nothing of the policy', async (t) => {
  const consoles = newFolder();
  const end = t.throwsAsync(trialOf(SIMPLE, SPIN, exact, consoles), {
    message: 'the controller recorded nothing',
  });
  for (const attempt of ['0000', '0000-attempt2']) {
    const running = () => processesIn(join(consoles, attempt));
    await until(`${attempt} runs`, () => running().length > 0, 900_000);
    for (const pid of running()) process.kill(pid, 'SIGKILL');
  }
  await end;
});

test('the multi-threaded engine completes a trial under a real scheduler too', async (t) => {
  const { record } = await trialOf(SIMPLE, SPIN, labEngine('tcg'));
  t.is(record.state, 'completed', JSON.stringify(record));
  t.is(record.engine, 'tcg');
  t.is(record.schedAfter?.ops, 'simple');
});

test('an undisturbed trial is proven and measured', async (t) => {
  const { record } = await undisturbed;
  if (record.state !== 'completed') return t.fail(JSON.stringify(record));
  t.deepEqual(
    record.metrics.map(({ name, value }) => [name, value]),
    [['time', 20_000]],
  );
  t.is(record.schedBefore?.state, 'enabled');
  t.is(record.schedBefore?.ops, 'simple');
  t.deepEqual(record.schedAfter, record.schedBefore);
});
