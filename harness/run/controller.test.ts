// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import type { Engine, Orders } from '../lab/engine.ts';
import { type MockBehaviour, mockEngine } from '../lab/mock.ts';
import { type RunJob, runTrials } from './controller.ts';
import type { RunEvent } from './events.ts';
import { CATALOG, MemoryLog, OUTPUT, plannedTrials, SPEC } from './scene.ts';

const GOOD: MockBehaviour = { kind: 'run', output: OUTPUT };
const consoles = await mkdtemp(join(tmpdir(), 'pmvx-controller-'));
test.after.always(() => rm(consoles, { recursive: true, force: true }));

let scenes = 0;

interface Scene {
  readonly log: MemoryLog;
  readonly events: RunEvent[];
  readonly job: RunJob;
}

function scene(trials: readonly PlannedTrial[], engine: Engine, more: Partial<RunJob> = {}): Scene {
  const log = new MemoryLog();
  const events: RunEvent[] = [];
  const job: RunJob = {
    run: 'scene-1',
    spec: SPEC,
    trials,
    catalog: CATALOG,
    engine,
    log,
    // A run's own: what a killed controller left of a trial is removed before it runs again.
    consoles: join(consoles, String(scenes++)),
    jobs: 1,
    signal: new AbortController().signal,
    watch: (event) => events.push(event),
    now: () => new Date(0),
    ...more,
  };
  return { log, events, job };
}

/** An engine whose trials end when the test says so, and which remembers what runs. */
class HeldEngine implements Engine {
  readonly name = 'mock';
  readonly running = new Map<string, () => void>();
  readonly started: string[] = [];
  #awaited: (() => void) | undefined;
  readonly #inner = mockEngine(() => GOOD);

  async runTrial(...args: Parameters<Engine['runTrial']>): ReturnType<Engine['runTrial']> {
    const [orders, , , signal] = args;
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.running.set(orders.trial, resolve);
      this.started.push(orders.trial);
      this.#awaited?.();
    }).finally(() => this.running.delete(orders.trial));
    return this.#inner.runTrial(...args);
  }

  /** Waits until `count` trials have been started. */
  async untilStarted(count: number): Promise<void> {
    while (this.started.length < count) {
      await new Promise<void>((resolve) => {
        this.#awaited = resolve;
      });
    }
  }

  finish(trial: string): void {
    this.running.get(trial)?.();
  }
}

function names(records: readonly TrialRecord[]): string[] {
  return records.map(({ trial }) => trial);
}

test('one job runs the trials in plan order and records each', async (t) => {
  const seen: string[] = [];
  const engine = mockEngine((orders) => {
    seen.push(orders.trial);
    return GOOD;
  });
  const { job, log, events } = scene(plannedTrials(6), engine);
  t.is(await runTrials(job), 'complete');
  t.deepEqual(seen, ['0000', '0001', '0002', '0003', '0004', '0005']);
  t.deepEqual(names(log.records), seen);
  t.true(log.records.every(({ state }) => state === 'completed'));
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['begun', ...seen.flatMap(() => ['started', 'recorded'])],
  );
});

test('every trial of a run names the same candidates, whatever its own policy is', async (t) => {
  const seen: string[] = [];
  const engine = mockEngine((orders) => {
    seen.push(`${orders.policy.id}: ${orders.candidates.map(({ id }) => id).join()}`);
    return GOOD;
  });
  await runTrials(scene(plannedTrials(2), engine).job);
  t.deepEqual(seen, ['eevdf: scx_simple', 'scx_simple: scx_simple']);
});

test('N jobs run N trials at once, never more, and start them in plan order', async (t) => {
  const engine = new HeldEngine();
  const { job, log } = scene(plannedTrials(6), engine, { jobs: 3 });
  const end = runTrials(job);
  await engine.untilStarted(3);
  t.deepEqual([...engine.running.keys()], ['0000', '0001', '0002']);
  engine.finish('0001');
  await engine.untilStarted(4);
  t.deepEqual([...engine.running.keys()], ['0000', '0002', '0003']);
  t.deepEqual(names(log.records), ['0001']);
  engine.finish('0000');
  await engine.untilStarted(5);
  engine.finish('0002');
  await engine.untilStarted(6);
  for (const trial of [...engine.running.keys()]) engine.finish(trial);
  t.is(await end, 'complete');
  t.deepEqual(engine.started, ['0000', '0001', '0002', '0003', '0004', '0005']);
  t.deepEqual(names(log.records).sort(), engine.started);
});

test('how many run at once changes no record', async (t) => {
  const runs = await Promise.all(
    [1, 2, 7].map(async (jobs) => {
      const { job, log } = scene(
        plannedTrials(12),
        mockEngine(() => GOOD),
        { jobs },
      );
      await runTrials(job);
      return log.records.toSorted((a, b) => a.trial.localeCompare(b.trial));
    }),
  );
  t.is(runs[0]?.length, 12);
  t.deepEqual(runs[1], runs[0]);
  t.deepEqual(runs[2], runs[0]);
});

test('what is recorded already is not run again', async (t) => {
  const trials = plannedTrials(5);
  const first = scene(
    trials.slice(0, 3),
    mockEngine(() => GOOD),
  );
  await runTrials(first.job);
  const seen: string[] = [];
  const engine = mockEngine((orders) => {
    seen.push(orders.trial);
    return GOOD;
  });
  const { job, events } = scene(trials, engine, { log: first.log });
  t.is(await runTrials(job), 'complete');
  t.deepEqual(seen, ['0003', '0004']);
  t.deepEqual(names(first.log.records), ['0000', '0001', '0002', '0003', '0004']);
  t.like(events[0], { kind: 'begun', total: 5 });
});

test('a stop kills what runs, records none of it, and the next call runs it again', async (t) => {
  const stop = new AbortController();
  const engine = new HeldEngine();
  const trials = plannedTrials(4);
  const { job, log } = scene(trials, engine, { jobs: 2, signal: stop.signal });
  const end = runTrials(job);
  await engine.untilStarted(2);
  engine.finish('0000');
  await engine.untilStarted(3);
  stop.abort(new Error('stopped'));
  t.is(await end, 'interrupted');
  t.is(engine.running.size, 0);
  t.deepEqual(names(log.records), ['0000']);
  const again = scene(
    trials,
    mockEngine(() => GOOD),
    { log },
  );
  t.is(await runTrials(again.job), 'complete');
  t.deepEqual(names(log.records), ['0000', '0001', '0002', '0003']);
});

test('a VM that dies because the run was stopped is not recorded as crashed', async (t) => {
  const stop = new AbortController();
  const inner = mockEngine(() => ({ kind: 'die', cause: 'QEMU was killed by SIGINT' }));
  const engine: Engine = {
    name: 'mock',
    runTrial: async (orders, machine, folder) => {
      stop.abort(new Error('stopped'));
      return inner.runTrial(orders, machine, folder, new AbortController().signal);
    },
  };
  const { job, log } = scene(plannedTrials(2), engine, { signal: stop.signal });
  t.is(await runTrials(job), 'interrupted');
  t.deepEqual(log.records, []);
});

function dyingFirst(times: number, behaviour: MockBehaviour, trials?: readonly string[]): Engine {
  const deaths = new Map<string, number>();
  return mockEngine((orders: Orders) => {
    const before = deaths.get(orders.trial) ?? 0;
    deaths.set(orders.trial, before + 1);
    return before < times && (trials?.includes(orders.trial) ?? true) ? behaviour : GOOD;
  });
}

const KILLED: MockBehaviour = { kind: 'die', cause: 'QEMU was killed by SIGKILL' };

test('a VM that something killed gets one more attempt', async (t) => {
  const { job, log, events } = scene(plannedTrials(1), dyingFirst(1, KILLED));
  t.is(await runTrials(job), 'complete');
  t.is(log.records.length, 1);
  t.like(log.records[0], { state: 'completed', host: { attempt: 2 } });
  t.like(events[2], { kind: 'lost', cause: 'QEMU was killed by SIGKILL' });
});

test('a trial whose VM is killed each time is left without a record, the others run, and the next call measures it', async (t) => {
  const engine = dyingFirst(2, KILLED, ['0001']);
  const { job, log, events } = scene(plannedTrials(3), engine);
  t.is(await runTrials(job), 'machines-lost');
  t.deepEqual(names(log.records), ['0000', '0002']);
  t.deepEqual(
    events.flatMap((event) => (event.kind === 'lost' ? [event.again] : [])),
    [true, false],
  );
  const again = scene(plannedTrials(3), engine, { log });
  t.is(await runTrials(again.job), 'complete');
  t.like(log.records[2], { trial: '0001', state: 'completed', host: { attempt: 1 } });
});

test('no look is taken at blocks of which a trial is missing', async (t) => {
  const { job } = scene(plannedTrials(8), dyingFirst(2, KILLED, ['0000']), {
    stop: { looks: [2, 4], enough: () => t.fail('nobody may ask') as never },
  });
  t.is(await runTrials(job), 'machines-lost');
});

test('a VM whose emulator crashes twice by a signal of its own is recorded as crashed', async (t) => {
  const cause = 'QEMU was killed by SIGSEGV';
  const { job, log } = scene(plannedTrials(1), dyingFirst(2, { kind: 'die', cause }));
  t.is(await runTrials(job), 'complete');
  t.like(log.records[0], {
    state: 'crashed',
    reason: `the VM died after "attached": ${cause}`,
    host: { attempt: 2 },
  });
});

test('a guest that panics is recorded at once: another attempt would hide a finding', async (t) => {
  const panic: MockBehaviour = { kind: 'die', cause: 'SIGABRT', console: 'Kernel panic - not syncing: x\n' };
  const { job, log } = scene(plannedTrials(1), dyingFirst(1, panic));
  t.is(await runTrials(job), 'complete');
  t.like(log.records[0], { state: 'crashed', host: { attempt: 1 } });
});

test('every state ends up in the log, one record a trial, and the run goes on', async (t) => {
  const behaviours: MockBehaviour[] = [
    GOOD,
    { kind: 'refuse', reason: 'no' },
    { kind: 'run', output: 'half\n' },
    { kind: 'eject', reason: 'scx_bpf_error', output: OUTPUT },
    { kind: 'deadline' },
    { kind: 'error', reason: 'no' },
  ];
  const engine = mockEngine((orders) => behaviours[Number(orders.trial)] as MockBehaviour);
  const { job, log } = scene(plannedTrials(6), engine, { jobs: 2 });
  t.is(await runTrials(job), 'complete');
  const states = log.records.toSorted((a, b) => a.trial.localeCompare(b.trial)).map(({ state }) => state);
  t.deepEqual(states, ['completed', 'refused', 'failed', 'ejected', 'timed-out', 'crashed']);
});

test('the run stops once more than maxFailures trials did not complete', async (t) => {
  const engine = mockEngine((orders) =>
    Number(orders.trial) % 2 === 1 ? { kind: 'run', output: '', exit: 1 } : GOOD,
  );
  const spec = { ...SPEC, stop: { rule: 'fixed', maxFailures: 1 } as const };
  const { job, log } = scene(plannedTrials(8), engine, { spec });
  t.is(await runTrials(job), 'too-many-failures');
  t.deepEqual(names(log.records), ['0000', '0001', '0002', '0003']);
  // Failures of an earlier call count: resuming does not get round the limit.
  t.is(await runTrials(job), 'too-many-failures');
  t.is(log.records.length, 4);
});

test('an engine that breaks stops the other VMs and the error comes through', async (t) => {
  const held = new HeldEngine();
  const error = new PmvxError(ExitCode.image, { what: 'the image is corrupt' });
  const engine: Engine = {
    name: 'mock',
    runTrial: async (orders, ...rest) => {
      if (orders.trial !== '0001') return held.runTrial(orders, ...rest);
      await held.untilStarted(1);
      throw error;
    },
  };
  const { job, log } = scene(plannedTrials(4), engine, { jobs: 2 });
  t.is(await t.throwsAsync(runTrials(job)), error);
  t.is(held.running.size, 0);
  t.deepEqual(held.started, ['0000']);
  t.deepEqual(log.records, []);
});

test('a log that cannot be written stops the run', async (t) => {
  const full = new PmvxError(ExitCode.environment, { what: 'no space left on the device' });
  const log = { records: [], append: () => Promise.reject(full) };
  const { job } = scene(
    plannedTrials(4),
    mockEngine(() => GOOD),
    { log },
  );
  t.is(await t.throwsAsync(runTrials(job)), full);
});

test('a run that has enough ends after the look that says so, and a resumed one at the same', async (t) => {
  const seen: number[][] = [];
  const stop = {
    looks: [1, 2, 4],
    enough: (records: readonly TrialRecord[], blocks: number) => {
      seen.push([blocks, records.length]);
      return blocks === 2;
    },
  };
  const { job, log } = scene(
    plannedTrials(8),
    mockEngine(() => GOOD),
    { stop, jobs: 3 },
  );
  t.is(await runTrials(job), 'enough');
  t.deepEqual(seen, [
    [1, 2],
    [2, 4],
  ]);
  t.is(log.records.length, 4);
  t.is(await runTrials(job), 'enough');
  t.deepEqual(seen.slice(2), seen.slice(0, 2));
  t.is(log.records.length, 4, 'nothing was run again');
});

test('a resumed run looks at the blocks before the look alone, however many are there', async (t) => {
  const { job, log } = scene(
    plannedTrials(8),
    mockEngine(() => GOOD),
  );
  t.is(await runTrials(job), 'complete');
  const seen: number[] = [];
  const stop = { looks: [2, 4], enough: (records: readonly TrialRecord[]) => seen.push(records.length) > 0 };
  t.is(await runTrials({ ...job, log, stop }), 'enough');
  t.deepEqual(seen, [4]);
});

test('a run that never has enough is complete after its last block, without a look at it', async (t) => {
  const stop = { looks: [2, 4], enough: (_records: readonly TrialRecord[], blocks: number) => blocks === 4 };
  const { job, log } = scene(
    plannedTrials(8),
    mockEngine(() => GOOD),
    { stop },
  );
  t.is(await runTrials(job), 'complete');
  t.is(log.records.length, 8);
});
