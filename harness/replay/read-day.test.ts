// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../core/load-catalog.ts';
import { guestPlan } from './guest-plan.ts';
import { parseDay, readDay } from './read-day.ts';
import { SAMPLE_DAY } from './sample-day.ts';

const root = resolve(import.meta.dirname, '../..');
const catalog = await loadCatalog(root);
const days = readdirSync(join(root, 'harness/replay/days'));

for (const file of days) {
  test(`the day ${file} is valid with the workloads and images that ship`, async (t) => {
    const day = await readDay(join(root, 'harness/replay/days', file), catalog);
    t.is(`${day.name}.yaml`, file);
    t.truthy(day.about);
  });
}

test('rounds, ramps and metrics are drawn out', (t) => {
  const day = parseDay(SAMPLE_DAY, 'sample.yaml', catalog);
  const [messages, both] = day.phases;
  t.deepEqual(
    messages?.parts[0]?.rounds.map(({ groups, loops }) => [groups, loops]),
    [
      [1, 20],
      [2, 20],
      [3, 20],
    ],
  );
  t.is(messages?.parts[0]?.metric, 'time');
  t.deepEqual(
    both?.parts.map(({ metric, rounds }) => [metric, rounds.length]),
    [
      ['makespan', 2],
      ['latency_p99', 1],
    ],
  );
});

test('numbers of rounds that are drawn follow the seed of the day', (t) => {
  const text = (seed: number) =>
    SAMPLE_DAY.replace('rounds: 3', 'rounds: [2, 60]').replace('phases:', `seed: ${seed}\nphases:`);
  const drawn = [1, 2, 3, 1].map(
    (seed) => parseDay(text(seed), 'sample.yaml', catalog).phases[0]?.parts[0]?.rounds.length ?? 0,
  );
  t.is(drawn[0], drawn[3]);
  t.true(new Set(drawn).size > 1);
  t.true(drawn.every((count) => count >= 2 && count <= 60));
});

test('every fault of a day is told with its place', (t) => {
  const text = `
name: faulty
image: quick
phases:
  - name: one
    parts:
      - { use: hackbanch }
      - { use: hackbench, with: { groups: 0 } }
      - { use: hackbench, metric: speed, rounds: [4, 2] }
  - name: one
    parts: [{ use: memcached }]
autotune: { windowMs: 1 }
`;
  const error = t.throws(() => parseDay(text, 'f.yaml', catalog));
  t.deepEqual(
    error?.message.split('\n').map((line) => line.replace(/(: [^.]*).*$/, '$1')),
    [
      'f.yaml:12:23: autotune: windowMs must be at least 50, got 1',
      'f.yaml:3:8: image quick has no Node, so the daemon cannot live in it',
      'f.yaml:10:11: two phases are called one',
      'f.yaml:7:16: there is no workload "hackbanch"',
      'f.yaml:8:43: groups of hackbench must be a whole number from 1 to 50, got 0',
      'f.yaml:9:50: rounds must be drawn from a smaller number to a larger one, got 4 and 2',
      'f.yaml:9:35: hackbench has no metric speed',
    ],
  );
});

test('what may be done to a guest is not done to this host', (t) => {
  const text = `
name: rough
madeUp: [made-up-stall]
phases:
  - name: one
    before: [{ kill: daemon }, { clock: 60 }]
    parts: [{ use: hackbench }]
`;
  t.notThrows(() => parseDay(text, 'f.yaml', catalog));
  const next = 'Live this day in a guest: exact, tcg or kvm';
  t.throws(() => parseDay(text, 'f.yaml', catalog, 'native'), {
    message: `f.yaml:6:32: it would move this host's clock. ${next}\nf.yaml:3:9: made-up-stall would harm this host. ${next}`,
  });
  t.throws(() => parseDay(text, 'f.yaml', catalog, 'mock'), {
    message: /a day is lived on a machine, and mock has none/,
  });
});

test('the plan for the guest names every command, and a place for the seed of each round', (t) => {
  const { text, files } = guestPlan(parseDay(SAMPLE_DAY, 'sample.yaml', catalog), catalog);
  t.deepEqual(files, []);
  const lines = text.split('\n');
  t.is(lines.filter((line) => line === 'round').length, 6);
  t.deepEqual(
    lines.filter((line) => /^(phase|lane)/.test(line)),
    ['phase messages', 'lane', 'phase both', 'lane', 'lane'],
  );
  t.true(lines.includes('arg %S'), 'spinners takes a seed');
  t.false(text.includes('1111111111'));
});

test('a recorded trace is a phase like any other, and its file is handed over', (t) => {
  const text = SAMPLE_DAY.replace('use: spinners', 'use: replay');
  const { text: plan, files } = guestPlan(parseDay(text, 'sample.yaml', catalog), catalog);
  t.is(files.length, 1);
  t.regex(files[0]?.value ?? '', /^workloads\/replay\/traces\/.*@[0-9a-f]{16}$/);
  t.true(plan.includes(`arg ${files[0]?.path}`));
});
