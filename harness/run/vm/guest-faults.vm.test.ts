// SPDX-License-Identifier: Apache-2.0
// Real machines whose workload works against its own trial: it starves, leaves daemons, changes settings, fills memory, takes CPUs away.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ForkPoint } from '../../core/fork-point.ts';
import type { Policy } from '../../core/policy.ts';
import type { TrialRecord } from '../../core/trial.ts';
import type { Workload } from '../../core/workload.ts';
import { EEVDF } from '../scene.ts';
import { labEngine, processPolicy, runOne, scriptWorkload, smallMachine } from './stage.ts';

const SIMPLE = processPolicy('scx_simple', ['/opt/pmvx/sched/scx_simple'], 'simple');
const SLICE = '/sys/kernel/debug/sched/base_slice_ns';

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-guest-faults-')));
test.after.always(() => rm(scratch, { recursive: true, force: true }));
const exact = labEngine('exact');

let folders = 0;
async function recordOf(policy: Policy, workload: Workload, point?: ForkPoint): Promise<TrialRecord> {
  const consoles = join(scratch, String(folders++));
  const trial = { engine: exact, machine: smallMachine(2), policy, workload, consoles };
  return (await runOne({ ...trial, ...(point === undefined ? {} : { point }) })).record;
}

function reasonOf(record: TrialRecord): string {
  return record.state === 'completed' ? 'completed' : `${record.state}: ${record.reason}`;
}

const spin = (how: string) => `for c in 0 1; do ${how} sh -c 'while :; do :; done' & done`;
const STARVED = {
  'FIFO 99': spin('chrt -f 99'),
  // What one CPU in ten does not have: more than a deadline task of the agent's length, as often.
  SCHED_DEADLINE: spin('chrt -d -T 700000 -D 1000000 -P 1000000 0'),
} as const;

for (const [what, script] of Object.entries(STARVED)) {
  test(`tasks of ${what} on every CPU do not keep the agent from its deadline, in guest time`, async (t) => {
    const workload = scriptWorkload('starves', `${script}; wait`, { deadline_s: 2 });
    const record = await recordOf(EEVDF, workload);
    t.is(reasonOf(record), 'timed-out: still running after 2 s of guest time');
    t.true((record.usage?.elapsedNs ?? 0) < 2.1e9, String(record.usage?.elapsedNs));
  });
}

test('tasks of FIFO 99 on every CPU do not delay a take-over by the built-in policy', async (t) => {
  const script = `${STARVED['FIFO 99']}; sleep 0.6; echo Time: 1`;
  const record = await recordOf(EEVDF, scriptWorkload('starves', script, { deadline_s: 20 }), '0.3s');
  t.is(reasonOf(record), 'completed');
  t.true((record.takeOver?.activeNs ?? 0) < 0.35e9, String(record.takeOver?.activeNs));
});

test('a scheduler that cannot attach for real-time tasks is refused, with both times or the state', async (t) => {
  const workload = scriptWorkload('late', `${STARVED['FIFO 99']}; sleep 1; echo Time: 1`, { deadline_s: 3 });
  const reason = reasonOf(await recordOf(SIMPLE, workload, '0.3s'));
  t.regex(reason, /^refused: (?:not enabled at the deadline of the run|the policy took over)/);
});

test('a daemon in a session of its own does not outlive the warm-up, and is named', async (t) => {
  const bare = scriptWorkload(
    'daemon',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the program's, not JavaScript's.
    'if [ ${stage} = cold ]; then setsid sleep 1000 & sleep 0.1; else pgrep -x sleep; echo Time: 1; fi',
  );
  const workload = {
    ...bare,
    definition: {
      ...bare.definition,
      params: {
        stage: { type: 'choice' as const, values: ['cold', 'hot'], default: 'hot', about: 's' },
      },
      warmup: { stage: 'cold' },
    },
  };
  const consoles = join(scratch, String(folders++));
  const { record } = await runOne({
    ...{ engine: exact, machine: smallMachine(2), policy: EEVDF, workload, consoles },
    params: { stage: 'hot' },
  });
  t.is(reasonOf(record), 'completed');
  t.is(record.output, 'Time: 1\n');
  t.deepEqual(record.notes, ['warm-up left 1 process behind, killed at its end: sleep']);
});

test('CPU time of what nobody waited for is counted, and what moved to another group ends, too', async (t) => {
  const script =
    "mkdir /sys/fs/cgroup/mine; setsid sh -c 'echo $$ > /sys/fs/cgroup/mine/cgroup.procs; while :; do :; done' & sleep 0.5; echo Time: 1";
  const record = await recordOf(EEVDF, scriptWorkload('moves', script));
  t.is(reasonOf(record), 'completed');
  t.regex(record.notes?.[0] ?? '', /^run left 1 process behind, killed at its end: sh$/);
  const { userNs = 0, allUserNs = 0 } = record.usage ?? {};
  t.true(allUserNs > userNs + 0.3e9, `${allUserNs} of all, ${userNs} of those waited for`);
});

test('a workload that changes a setting of the baseline has no metric, and the setting is named', async (t) => {
  const record = await recordOf(EEVDF, scriptWorkload('tunes', `echo 3000000 > ${SLICE}; echo Time: 1`));
  t.regex(reasonOf(record), /^ejected: the workload changed \S+base_slice_ns from "\d+" to "3000000"$/);
});

test('a workload that loads a scheduler under the baseline has no metric, and the scheduler is named', async (t) => {
  const script = '/opt/pmvx/sched/scx_simple & p=$!; sleep 1; kill -INT $p; wait $p; echo Time: 1';
  t.regex(
    reasonOf(await recordOf(EEVDF, scriptWorkload('loads', script))),
    /^ejected: the foreign scheduler "simple" was enabled during the run/,
  );
});

test('a workload that fills /tmp, /run and /dev/shm gets ENOSPC, and its trial goes on', async (t) => {
  const fill = (file: string) => `dd if=/dev/zero of=${file} bs=1M 2>&1 | grep -c 'No space left'`;
  const script = `${fill('/tmp/x')}; ${fill('/run/x')}; ${fill('/dev/shm/x')}; echo Time: 1`;
  const record = await recordOf(EEVDF, scriptWorkload('fills', script));
  t.is(reasonOf(record), 'completed');
  t.is(record.output, '1\n1\n1\nTime: 1\n');
});

test('a CPU that goes offline ejects the scheduler in its words; the baseline goes on, with a note', async (t) => {
  const script = 'echo 0 > /sys/devices/system/cpu/cpu1/online; sleep 0.5; echo Time: 1';
  const workload = scriptWorkload('unplugs', script);
  const [simple, eevdf] = await Promise.all([recordOf(SIMPLE, workload), recordOf(EEVDF, workload)]);
  t.regex(
    reasonOf(simple),
    /^ejected: cpu 1 going offline, exiting scheduler \(unregistered from the main kernel\)$/i,
  );
  t.regex(simple.host.log ?? '', /\/0000\/kernel\.log$/);
  t.is(reasonOf(eevdf), 'completed');
  t.deepEqual(eevdf.notes, ['CPUs online: 0-1 before the run, 0 after it']);
});

test('a wrong option of a scheduler is the reason, in the words of its program', async (t) => {
  const wrong = processPolicy('scx_simple', ['/opt/pmvx/sched/scx_simple', '-z'], 'simple');
  const reason = reasonOf(await recordOf(wrong, scriptWorkload('true', 'echo Time: 1')));
  t.regex(reason, /^refused: \S*scx_simple: invalid option -- 'z'; scheduler process exited with status \d/);
});
