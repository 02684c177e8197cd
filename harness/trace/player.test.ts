// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { convert } from './convert.ts';
import { figuresOf } from './figures.ts';
import { sampleRun } from './sample-recording.ts';
import type { TracedTask } from './trace.ts';
import { encodeTrace } from './trace-file.ts';

const PLAYER = resolve(import.meta.dirname, '../../workloads/replay/replay.c');

const SYNC = { sync: true } as const;

let folder: string;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pmvx-player-'));
  await execa('gcc', ['-std=c11', '-O2', '-pthread', '-o', join(folder, 'replay'), PLAYER]);
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

/** A linear congruential generator (Numerical Recipes): the same numbers everywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What the player says of a trace, by name; rejects when it does not end in half a minute. */
async function play(
  name: string,
  tasks: readonly TracedTask[],
  seed = 1,
): Promise<ReadonlyMap<string, string>> {
  const path = join(folder, `${name}.trace`);
  const figures = { ...figuresOf([], 0), durationNs: 1 };
  await writeFile(path, encodeTrace({ origin: { kernel: 'none', cpus: 1, command: ['x'] }, figures, tasks }));
  const words = [path, '--seed', String(seed), '--jitter-per-mille', '10'];
  const { stdout } = await execa(join(folder, 'replay'), words, { timeout: 300_000 });
  return new Map([...stdout.matchAll(/^(\w+) (\S+) \w+$/gm)].map(([, key = '', value = '']) => [key, value]));
}

test.serial('whatever tasks did, it is played to its end', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const tasks = convert(sampleRun(generator(seed), 40 * seed).recording);
    const said = await play(`sample-${seed}`, tasks);
    t.true(Number(said.get('makespan')) > 0, `seed ${seed}`);
  }
});

test.serial('the first task goes on only when those have ended for whose end it waits', async (t) => {
  const sleeper = (ns: number): TracedTask => ({ name: 'sleeper', operations: [{ do: 'sleep', ns }] });
  const first: TracedTask = {
    name: 'first',
    operations: [
      { do: 'start', task: 1 },
      { do: 'start', task: 2 },
      { do: 'waitEnd', task: 1 },
      { do: 'afterEnd', task: 2 },
    ],
  };
  const said = await play('ends', [first, sleeper(1e6), sleeper(300e6)]);
  t.true(Number(said.get('makespan')) >= 0.3);
  // Three starts, two sleeps, and one wait for both ends.
  t.is(said.get('waits'), '6');
});

test.serial('who is left when the first task has ended is not waited for', async (t) => {
  const first: TracedTask = { name: 'first', operations: [{ do: 'start', task: 1 }] };
  const said = await play('left', [first, { name: 'daemon', operations: [{ do: 'sleep', ns: 3600e9 }] }]);
  t.true(Number(said.get('makespan')) < 10);
});

test.serial(
  'a task that is to run when the first one ends is awaited, and its delay is one of the run',
  async (t) => {
    // The first task starts eight and ends: hardly one of them has run by then.
    const first: TracedTask = {
      name: 'first',
      operations: Array.from({ length: 8 }, (_, at) => ({ do: 'start', task: at + 1 })),
    };
    const others = Array.from({ length: 8 }, (): TracedTask => ({ name: 'other', operations: [] }));
    for (let round = 0; round < 10; round++) {
      const said = await play('late', [first, ...others]);
      t.is(said.get('delays'), '9');
    }
  },
);

test.serial('wake-ups through futexes and through pipes both come, and in any order', async (t) => {
  const rounds = 200;
  const each = <T>(make: (round: number) => readonly T[]) =>
    Array.from({ length: rounds }, (_, round) => make(round)).flat();
  const first: TracedTask = {
    name: 'first',
    operations: [
      { do: 'start', task: 1 },
      ...each((round) => [
        { do: 'wake', task: 1 } as const,
        { do: 'wait', task: 1, ...(round % 3 === 0 ? SYNC : {}) } as const,
      ]),
      { do: 'waitEnd', task: 1 },
    ],
  };
  const second: TracedTask = {
    name: 'second',
    operations: each((round) => [
      { do: 'wait', task: 0, ...(round % 2 === 0 ? SYNC : {}) } as const,
      { do: 'wake', task: 0 } as const,
    ]),
  };
  const said = await play('both', [first, second]);
  // With two starts and the wait for the end.
  t.is(said.get('waits'), String(2 * rounds + 3));
});

test.serial(
  'shared work is done by whoever is there: one does not wait for what the other has',
  async (t) => {
    const work = (ns: number): TracedTask => ({
      name: 'worker',
      operations: [
        { do: 'share', work: 0 },
        { do: 'run', ns },
      ],
    });
    const late: TracedTask = {
      name: 'late',
      operations: [{ do: 'sleep', ns: 150e6 }, ...work(100e6).operations],
    };
    const first: TracedTask = {
      name: 'first',
      operations: [
        { do: 'start', task: 1 },
        { do: 'start', task: 2 },
        { do: 'waitEnd', task: 1 },
      ],
    };
    // The second comes when the first has done the work of both, or most of it: 5 ms of its own and 100 ms of the other's.
    const said = await play('shared', [first, work(5e6), late]);
    t.true(Number(said.get('makespan')) >= 0.09);
  },
);

test.serial('the seed draws the lengths, and nothing else does', async (t) => {
  const tasks: readonly TracedTask[] = [{ name: 'first', operations: [{ do: 'run', ns: 1e6 }] }];
  const digest = async (seed: number) => (await play('seed', tasks, seed)).get('work_digest');
  const one = await digest(1);
  t.is(await digest(1), one);
  t.not(await digest(2), one);
});
