// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { extractMetrics } from '../core/extract.ts';
import type { PlannedTrial } from '../core/trial.ts';
import { ordersFor } from '../run/orders.ts';
import { EEVDF, HACKBENCH, OUTPUT, plannedTrials, SIMPLE, SPEC } from '../run/scene.ts';
import type { Orders } from './engine.ts';
import { mockEngine, mockOutcome } from './mock.ts';
import { inventOutput } from './mock-output.ts';

const [planned, , later] = plannedTrials(3) as [PlannedTrial, PlannedTrial, PlannedTrial];
const orders = ordersFor(planned, HACKBENCH, EEVDF);
const GOOD = { kind: 'run', output: OUTPUT } as const;

test('the same orders and machine give the same bytes; other seeds, policies and machines give others', (t) => {
  const digest = (of: Orders, machine = SPEC.machine) => mockOutcome(GOOD, of, machine).transcript;
  t.is(digest(orders), digest(structuredClone(orders)));
  t.not(digest(orders), digest(ordersFor(later, HACKBENCH, EEVDF)));
  t.not(digest(orders), digest(ordersFor(planned, HACKBENCH, SIMPLE)));
  t.not(digest(orders), digest(orders, { ...SPEC.machine, vcpus: 2 }));
});

test('a healthy mock guest sends the frames of a healthy guest, in order, with a clock that goes on', (t) => {
  const { frames, ended } = mockOutcome(GOOD, { ...orders, warmup: ['true'] }, SPEC.machine);
  t.is(ended, 'done');
  t.deepEqual(
    frames.map(({ kind }) => kind),
    ['hello', 'ready', 'attached', 'warm', 'output', 'result', 'after', 'policy-log', 'klog', 'done'],
  );
  t.true(frames.every(({ guestNs }, at) => at === 0 || guestNs > (frames[at - 1]?.guestNs ?? 0n)));
});

test('a guest that hangs ends when it is aborted, with the reason', async (t) => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  const end = mockEngine(() => ({ kind: 'hang' })).runTrial(orders, SPEC.machine, '', stop.signal);
  stop.abort(reason);
  t.is(await t.throwsAsync(end), reason);
});

test('a slow guest that is aborted ends at once, with the reason', async (t) => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  const slow = { ...GOOD, hostMs: 600_000 };
  const end = mockEngine(() => slow).runTrial(orders, SPEC.machine, '', stop.signal);
  stop.abort(reason);
  t.is(await t.throwsAsync(end), reason);
});

test('the console is left in the folder of the trial and says that nothing was measured', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-mock-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const folder = join(scratch, '0000');
  await mockEngine(() => GOOD).runTrial(orders, SPEC.machine, folder, new AbortController().signal);
  t.is(await readFile(join(folder, 'console.log'), 'utf8'), 'mock: not a measurement\n');
});

test('invented output is read like the sample, and its number depends on seed and policy alone', (t) => {
  const readValue = (of: Orders) => {
    const read = extractMetrics(HACKBENCH.definition, inventOutput(OUTPUT, HACKBENCH.definition, of));
    return read.ok ? read.metrics[0]?.value : undefined;
  };
  const value = readValue(orders);
  t.true(value !== undefined && value >= 0.136 * 0.8 - 0.001 && value <= 0.136 * 1.25 + 0.001, String(value));
  t.is(readValue({ ...orders, trial: '0099' }), value);
  const others = [ordersFor(later, HACKBENCH, EEVDF), ordersFor(planned, HACKBENCH, SIMPLE)].map(readValue);
  t.false(others.includes(value));
});

test('a sample without the metric is passed on as it is', (t) => {
  t.is(inventOutput('nothing here\n', HACKBENCH.definition, orders), 'nothing here\n');
});
