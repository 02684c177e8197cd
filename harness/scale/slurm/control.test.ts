// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { Spec } from '../../core/spec.ts';
import { planTrials } from '../../plan/plan.ts';
import type { RunEvent } from '../../run/events.ts';
import type { Provenance } from '../../store/provenance.ts';
import { createRun, openRun, readRun } from '../../store/run-folder.ts';
import { writeTrialsCsv } from '../../store/trials-csv.ts';
import { MERGED_SPEC, runPart, STEADY } from '../merge/scene.ts';
import { runOnSlurm, type SlurmEnd, type SlurmRun } from './control.ts';
import { FakeSlurm, type FakeStart } from './fake-slurm.ts';
import { readJobs, type SlurmJobs } from './jobs-file.ts';
import type { TaskId } from './task.ts';

/** A run that is handed in to a Slurm which is not there. */
class Scene {
  readonly root = mkdtempSync(join(tmpdir(), 'pmvx-control-'));
  readonly folder = join(this.root, 'slurm', 'run');
  readonly events: RunEvent[] = [];
  readonly warned: string[] = [];
  readonly spec: Spec;
  slurm: FakeSlurm;

  constructor(t: ExecutionContext, start?: (id: TaskId) => FakeStart, spec: Partial<Spec> = {}) {
    this.spec = { ...MERGED_SPEC, ...spec };
    this.slurm = new FakeSlurm(this.folder, start);
    t.teardown(() => rmSync(this.root, { recursive: true, force: true }));
  }

  /** Watches the run to an end, as one process would; a further call is a process that comes later. */
  async watch(more: Partial<SlurmRun> = {}, jobs: Partial<SlurmJobs> = {}): Promise<SlurmEnd> {
    const plan = planTrials(this.spec);
    const provenance: Provenance = {
      v: 1,
      run: 'run',
      createdAt: '2026-01-02T03:04:05.000Z',
      pmvx: { version: '0.1.0' },
      host: { cores: 2, memoryMiB: 1024, kernel: '6.1', node: 'v24' },
      engine: this.spec.machine.engine,
      image: {},
      seeds: this.spec.seeds,
    };
    const there = existsSync(this.folder);
    const run = there
      ? await openRun(this.folder)
      : await createRun(this.folder, { spec: this.spec, plan, provenance });
    const fresh: SlurmJobs = {
      v: 1,
      plan: plan.digest,
      jobs: 1,
      split: false,
      cache: '/none',
      options: [],
      arrayMax: 1000,
      checkEvery: 0,
      submitted: [],
      ...jobs,
    };
    try {
      return await runOnSlurm({
        run,
        jobs: (await readJobs(this.folder)) ?? fresh,
        client: this.slurm,
        script: ['batch.sh'],
        watch: (event) => this.events.push(event),
        tell: () => undefined,
        warn: (line) => this.warned.push(line),
        signal: new AbortController().signal,
        pollMs: 1,
        ...more,
      });
    } finally {
      await writeTrialsCsv(join(this.folder, 'trials.csv'), run.log.records);
      await run.close();
    }
  }

  csv(): string {
    return readFileSync(join(this.folder, 'trials.csv'), 'utf8');
  }

  /** The same spec on one machine. */
  async alone(): Promise<string> {
    const folder = await runPart(join(this.root, 'alone', 'run'), { spec: this.spec });
    return readFileSync(join(folder, 'trials.csv'), 'utf8');
  }
}

test('a block is a task; what tasks record is the run, to the byte that of one machine, and nothing of them is left', async (t) => {
  const scene = new Scene(t);
  t.deepEqual(await scene.watch(), { end: 'complete' });
  t.is(scene.csv(), await scene.alone());
  const [options] = scene.slurm.submitted;
  t.true(options?.includes('--array=1-5'));
  t.true(options?.includes('--requeue'));
  const { records } = await readRun(scene.folder);
  t.is(new Set(records.map(({ host }) => host.fingerprint?.slice(0, 2))).size, 5);
  t.is(readdirSync(join(scene.folder, 'consoles')).length, 15);
  t.deepEqual(readdirSync(join(scene.folder, 'slurm', 'parts')), []);
  t.deepEqual(
    scene.events.map(({ kind }) => kind),
    ['begun', ...Array.from({ length: 15 }, () => 'recorded' as const)],
  );
});

test('no more tasks than asked for, each with whole blocks; on request workloads of a block are tasks of their own', async (t) => {
  const few = new Scene(t);
  await few.watch({}, { arrayMax: 2 });
  t.true(few.slurm.submitted[0]?.includes('--array=1-2'));
  t.is(few.csv(), await few.alone());
  const workloads = [30, 60].map((loops) => ({
    workload: 'hackbench',
    variant: `loops=${loops}`,
    params: { loops },
  }));
  const split = new Scene(t, undefined, { workloads });
  await split.watch({}, { split: true });
  t.true(split.slurm.submitted[0]?.includes('--array=1-10'));
  t.is(split.csv(), await split.alone());
});

test('a task that Slurm starts once more goes on where it was; a node that was given up changes nothing', async (t) => {
  const starts: TaskId[] = [];
  const scene = new Scene(t, (id) => {
    starts.push(id);
    if (id.task !== 2 || id.restart > 1) return {};
    return { trials: 1, state: 'REQUEUED', node: `n${10 + id.restart}` };
  });
  t.deepEqual(await scene.watch(), { end: 'complete' });
  t.deepEqual(
    starts.filter(({ task }) => task === 2).map(({ restart }) => restart),
    [0, 1, 2],
  );
  t.is(scene.csv(), await scene.alone());
});

test('what a task leaves undone is an error that says so, and --resume hands in that alone', async (t) => {
  let broken = true;
  const scene = new Scene(t, ({ task }) => (broken && task === 4 ? { trials: 2, state: 'FAILED' } : {}));
  const error = (await t.throwsAsync(scene.watch(), { instanceOf: PmvxError })) as PmvxError;
  t.is(error.code, ExitCode.incomplete);
  t.regex(
    error.message,
    /run: 1 trials were not recorded by tasks that have ended: 1_4 FAILED on n4\. See why in/,
  );
  broken = false;
  t.deepEqual(await scene.watch(), { end: 'complete' });
  t.is(scene.slurm.submitted.length, 2);
  t.true(scene.slurm.submitted[1]?.includes('--array=1-1'));
  t.is(scene.csv(), await scene.alone());
});

test('watching can be left and taken up again: nothing is handed in twice, and nothing recorded twice', async (t) => {
  const scene = new Scene(t);
  scene.slurm.held = true;
  t.deepEqual(await scene.watch({ detach: true }), { end: 'interrupted' });
  const stop = new AbortController();
  const left = scene.watch({ signal: stop.signal, tell: () => stop.abort() });
  t.deepEqual(await left, { end: 'interrupted' });
  scene.slurm.held = false;
  t.deepEqual(await scene.watch(), { end: 'complete' });
  t.is(scene.slurm.submitted.length, 1);
  t.is(scene.csv(), await scene.alone());
});

test('a controller that does not answer for a while is waited for, and told of once', async (t) => {
  const scene = new Scene(t);
  scene.slurm.away = 5;
  t.deepEqual(await scene.watch(), { end: 'complete' });
  t.deepEqual(scene.warned, [
    'squeue: Unable to contact slurm controller. Slurm runs what it was given meanwhile; try again when its controller answers',
  ]);
});

test('a question that Slurm answers with a failure is asked again, and not for ever', async (t) => {
  const scene = new Scene(t);
  scene.slurm.unanswered = 19;
  t.deepEqual(await scene.watch(), { end: 'complete' });
  t.is(scene.warned.length, 1);
  t.regex(scene.warned[0] ?? '', /^sacct: Slurm does not answer: Immediate execution impossible/);

  const dead = new Scene(t);
  dead.slurm.unanswered = 1000;
  await t.throwsAsync(dead.watch(), {
    message: /^sacct: Slurm does not answer: Immediate execution impossible/,
  });
  t.is(dead.slurm.unanswered, 980);
});

test('a job whose number was lost on the way is found by its name, not handed in twice', async (t) => {
  const scene = new Scene(t);
  scene.slurm.losesAnswers = true;
  t.deepEqual(await scene.watch(), { end: 'complete' });
  t.is(scene.slurm.submitted.length, 1);

  // And when the process that handed it in was killed before it had heard.
  const killed = new Scene(t);
  const submit = killed.slurm.submit.bind(killed.slurm);
  killed.slurm.held = true;
  killed.slurm.submit = async (options) => {
    await submit(options);
    throw new Error('killed');
  };
  await t.throwsAsync(killed.watch(), { message: 'killed' });
  t.is((await readJobs(killed.folder))?.submitted[0]?.id, undefined);
  killed.slurm.submit = submit;
  killed.slurm.held = false;
  t.deepEqual(await killed.watch(), { end: 'complete' });
  t.is(killed.slurm.submitted.length, 1);
});

test('some blocks are measured once more on other nodes; the same results are told, and change nothing', async (t) => {
  const scene = new Scene(t, ({ name }) => (name.endsWith('-check') ? { node: 'n9' } : {}));
  t.deepEqual(await scene.watch({}, { checkEvery: 2 }), { end: 'complete' });
  t.true(scene.slurm.submitted[1]?.includes('--array=1-3'));
  t.true(scene.slurm.submitted[1]?.includes('--dependency=afterany:1'));
  const checks = JSON.parse(readFileSync(join(scene.folder, 'checks.json'), 'utf8'));
  t.is(Object.keys(checks.agreed).length, 9);
  t.deepEqual(checks.differ, {});
  t.true(Object.values(checks.agreed).every((node) => String(node).startsWith('n9-')));
  t.is(scene.csv(), await scene.alone());
});

test('a task that Slurm could not start and holds is released, and told of; not for ever', async (t) => {
  const holds = (times: number) => (id: TaskId) =>
    id.task === 2 && id.restart < times ? { trials: 0, state: 'REQUEUE_HOLD' } : {};
  const scene = new Scene(t, holds(2));
  t.deepEqual(await scene.watch(), { end: 'complete' });
  t.is(scene.csv(), await scene.alone());
  t.is(scene.warned.filter((line) => line.startsWith('Slurm could not start task 1_2')).length, 2);
  const hopeless = new Scene(t, holds(9));
  const enough = new AbortController();
  const warn = (line: string) => {
    hopeless.warned.push(line);
    if (line.includes('the last time')) setTimeout(() => enough.abort(), 50);
  };
  t.deepEqual(await hopeless.watch({ warn, signal: enough.signal }), { end: 'interrupted' });
  t.is(hopeless.warned.length, 3);
});

test('a block is never compared with itself on the same node', async (t) => {
  const scene = new Scene(t, () => ({ node: 'n1' }));
  t.deepEqual(await scene.watch({}, { checkEvery: 1 }), { end: 'complete' });
  t.false(existsSync(join(scene.folder, 'checks.json')));
});

test('another result on another node stops the run and every claim from it', async (t) => {
  const scene = new Scene(t, ({ name }) => {
    if (!name.endsWith('-check')) return {};
    return {
      node: 'n9',
      script: (orders, machine) => ({ ...STEADY(orders, machine), output: 'Time: 9\n' }) as never,
    };
  });
  const error = (await t.throwsAsync(scene.watch({}, { checkEvery: 5 }), {
    instanceOf: PmvxError,
  })) as PmvxError;
  t.is(error.code, ExitCode.image);
  t.regex(
    error.message,
    /trial 00\d\d \(block \d, hackbench loops=60 under \w+\) has two results, on n\d-\w+ and n9-\w+: output was/,
  );
  t.regex(error.message, /the lab is broken, and no claim can be made from this run/);
  const again = (await t.throwsAsync(readRun(scene.folder), { instanceOf: PmvxError })) as PmvxError;
  t.is(again.message, error.message, 'tables, figures and merges refuse it, too');
  await t.throwsAsync(scene.watch(), { message: error.message });
});

test('a check that its node cut short shows nothing', async (t) => {
  const scene = new Scene(t, ({ name }) =>
    name.endsWith('-check') ? { node: 'n9', script: () => ({ kind: 'deadline' }) } : {},
  );
  t.deepEqual(await scene.watch({}, { checkEvery: 5 }), { end: 'complete' });
  const checks = JSON.parse(readFileSync(join(scene.folder, 'checks.json'), 'utf8'));
  t.deepEqual([Object.keys(checks.agreed).length, Object.keys(checks.undecided).length], [0, 3]);
});

test('in real time nothing is measured twice, and tasks have their nodes to themselves', async (t) => {
  const machine = { ...MERGED_SPEC.machine, engine: 'kvm' as const };
  const scene = new Scene(t, undefined, { machine });
  t.deepEqual(await scene.watch({}, { checkEvery: 1, jobs: 2 }), { end: 'complete' });
  const [prepare, array, ...more] = scene.slurm.submitted;
  t.deepEqual(more, []);
  t.false(prepare?.some((option) => option.startsWith('--array')));
  t.true(array?.includes('--exclusive'));
  t.true(array?.includes('--cpus-per-task=8'));
  t.true(array?.includes('--dependency=afterok:1'));
});

test('the rule for stopping early looks at whole blocks, and nothing later is handed in before', async (t) => {
  const scene = new Scene(t, undefined, {
    seeds: { base: 7, count: 9 },
    stop: { rule: 'width', width: 2, minBlocks: 3 },
  });
  const seen: number[] = [];
  const stop = {
    looks: [3, 5, 9],
    enough: (records: readonly unknown[], blocks: number) => {
      seen.push(records.length);
      return blocks === 5;
    },
  };
  t.deepEqual(await scene.watch({ stop }), { end: 'enough', enough: 5 });
  t.deepEqual(seen, [9, 15]);
  t.deepEqual(
    scene.slurm.submitted.map((options) => options.find((option) => option.startsWith('--array'))),
    ['--array=1-3', '--array=1-2'],
  );
});

test('too many failures, counted over all tasks, end the run and cancel the rest', async (t) => {
  const scene = new Scene(t, () => ({ script: () => ({ kind: 'run', output: 'nothing', exit: 1 }) }), {
    stop: { rule: 'fixed', maxFailures: 4 },
  });
  t.deepEqual(await scene.watch(), { end: 'too-many-failures' });
});
