// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { bare } from './checks.ts';
import { EventQueue } from './event-queue.ts';
import { broadcastSeconds, type Site, simulate } from './scale-out.ts';
import { SharedStore } from './servers.ts';

/** 40 tasks of up to 7 trials, all costs different. */
const TASKS = Array.from({ length: 40 }, (_, task) =>
  Array.from({ length: 1 + (task % 7) }, (_, trial) => 1 + ((task * 31 + trial * 17) % 23)),
);
const SUM = TASKS.flat().reduce((sum, seconds) => sum + seconds, 0);

function site(more: Partial<Site>): Site {
  return { ...bare(1), ...more };
}

test('events happen in the order of their times, those of one instant in the order of asking', (t) => {
  const time = new EventQueue();
  const seen: string[] = [];
  for (const [seconds, name] of [
    [3, 'd'],
    [1, 'a'],
    [2, 'b'],
    [2, 'c'],
  ] as const) {
    time.after(seconds, () => seen.push(`${name}${time.now}`));
  }
  t.is(time.run(), 3);
  t.deepEqual(seen, ['a1', 'b2', 'c2', 'd3']);
  t.throws(() => time.after(-1, () => undefined), { message: /cannot happen -1 s from now/ });
});

test('a run that can be computed by hand takes as long as it must', (t) => {
  // 5 queue + 10 prepare, then two nodes copy 100 MiB each from 50 MiB/s after 1 s launch each and 2 s start.
  // Node 1 copies alone from 18 to 19 (50 MiB), shares from 19 to 21 (50 MiB); node 2 has 50 left at 21, done at 22.
  // Boot 4: ready at 25 and 26. Task 1 (two slots): 3 and 6, then 2 after the 3: ends at 31. Task 2: 4: ends at 30.
  // Task 3 is placed when task 2 ends at 30: launch 31, start 33, 7: ends at 40, and its record takes 0.5.
  const outcome = simulate([[3, 6, 2], [4], [7]], {
    ...{ nodes: 2, coresANode: 2, slotsATask: 2, queueSeconds: 5, prepareSeconds: 10, launchSeconds: 1 },
    ...{ taskSeconds: 2, bootSeconds: 4, distribution: 'copy', cargoMib: 100, storeMibS: 50, linkMibS: 50 },
    recordSeconds: 0.5,
  });
  t.is(outcome.readyAt, 26);
  t.is(outcome.lastTrialAt, 40);
  t.is(outcome.makespan, 40.5);
  t.is(outcome.work, 22);
  t.is(outcome.utilisation, 22 / (40.5 * 4));
  // From 16 to 31, from 17 to 30, from 31 to 40, of two cores each.
  t.is(outcome.held, 2 * (15 + 13 + 9));
  t.is(outcome.storeSeconds, 4);
  t.is(outcome.collectorSeconds, 2.5);
  t.is(outcome.launcherSeconds, 3);
});

test('whatever the site, every trial is run once and the work is the sum of the costs', (t) => {
  for (const nodes of [1, 3, 64]) {
    for (const distribution of ['none', 'copy', 'broadcast'] as const) {
      const outcome = simulate(TASKS, site({ ...SITE, nodes, distribution }));
      t.is(outcome.work, SUM);
      t.is(outcome.records, TASKS.flat().length);
      t.true(outcome.held >= SUM);
      t.true(outcome.utilisation > 0 && outcome.utilisation <= 1);
    }
  }
});
const SITE = { coresANode: 4, slotsATask: 2, taskSeconds: 1, cargoMib: 100, storeMibS: 50, linkMibS: 20 };

test('more nodes are never slower when nothing has to be distributed, and never faster than the longest task', (t) => {
  let before = Number.POSITIVE_INFINITY;
  for (const nodes of [1, 2, 4, 8, 16, 32, 64]) {
    const { makespan } = simulate(TASKS, site({ nodes }));
    t.true(makespan <= before, `${nodes} nodes: ${makespan} s, half as many: ${before} s`);
    before = makespan;
  }
  t.is(before, Math.max(...TASKS.map((task) => task.reduce((sum, seconds) => sum + seconds, 0))));
  t.is(simulate(TASKS, site({})).makespan, SUM);
});

test('copies grow with the nodes, a broadcast with their logarithm', (t) => {
  const many = Array.from({ length: 255 }, () => [0]);
  const of = { nodes: 255, cargoMib: 100, storeMibS: 100, linkMibS: 100 };
  const copied = simulate(many, site({ ...of, distribution: 'copy' }));
  t.true(Math.abs(copied.readyAt - 255) < 1e-6, String(copied.readyAt));
  t.is(simulate(many, site({ ...of, distribution: 'broadcast', launchSeconds: 1 })).readyAt, 8);
  t.is(broadcastSeconds(site({ ...of, nodes: 1 })), 1);
});

test('no copy is faster than its own link', (t) => {
  const time = new EventQueue();
  const store = new SharedStore(time, 1000, 10);
  const ends: number[] = [];
  for (const mib of [10, 30]) store.copy(mib, () => ends.push(time.now));
  time.run();
  t.deepEqual(ends, [1, 3]);
  t.is(store.busySeconds, 3);
});

test('a task that fits on no node is told', (t) => {
  t.throws(() => simulate([[1]], site({ slotsATask: 2 })), {
    message: /a task of 2 cores fits on no node of 1/,
  });
});
