// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { candidatesOf, modulesOf } from '../core/candidates.ts';
import type { Policy, PolicyDefinition } from '../core/policy.ts';
import type { PlannedTrial } from '../core/trial.ts';
import { ordersFor } from './orders.ts';
import { EEVDF, HACKBENCH, plannedTrials, SIMPLE } from './scene.ts';

const words = { summary: 's', suits: 's', weakness: 's', source: 's' };

function processPolicy(id: string, argv: string[], ops: string): Policy {
  const definition: PolicyDefinition = { kind: 'process', ...words, argv, ops };
  return { id, definition };
}

const FIFO = processPolicy('scx_simple-fifo', ['/usr/bin/scx_simple', '-f'], 'simple');
const CENTRAL = processPolicy('scx_central', ['/usr/bin/scx_central'], 'central');
const planned = plannedTrials(1)[0] as PlannedTrial;

test('candidates are the processes among the policies, in one order however a spec lists them', (t) => {
  const ids = (policies: readonly Policy[]) => candidatesOf(policies).map(({ id }) => id);
  t.deepEqual(ids([SIMPLE, EEVDF, FIFO, CENTRAL]), ['scx_central', 'scx_simple', 'scx_simple-fifo']);
  t.deepEqual(ids([CENTRAL, FIFO, SIMPLE]), ['scx_central', 'scx_simple', 'scx_simple-fifo']);
  t.deepEqual(ids([EEVDF]), []);
});

test('a program is prepared once with the same arguments, and again with others', (t) => {
  const same = processPolicy('scx_again', ['/usr/bin/scx_simple'], 'simple');
  t.deepEqual(
    candidatesOf([SIMPLE, FIFO, same]).map(({ id }) => id),
    ['scx_again', 'scx_simple-fifo'],
  );
});

test('all policies of a trial get the same orders but for the choice', (t) => {
  const candidates = candidatesOf([EEVDF, SIMPLE, CENTRAL]);
  const { policy: _, ...first } = ordersFor(planned, HACKBENCH, EEVDF, candidates);
  const { policy, ...second } = ordersFor(planned, HACKBENCH, SIMPLE, candidates);
  t.deepEqual(second, first);
  t.is(policy.id, 'scx_simple');
  t.deepEqual(second.candidates, [CENTRAL, SIMPLE]);
});

test('a point in the run becomes milliseconds, the warm one by the engine', (t) => {
  const definition = { ...HACKBENCH.definition, warm_s: { exact: 0.4, kvm: 0.05 } };
  const forkAtMs = (point: PlannedTrial['point'], engine: 'exact' | 'kvm') =>
    ordersFor({ ...planned, point }, { id: 'hackbench', definition }, EEVDF, [], engine).forkAtMs;
  t.is(forkAtMs('warm', 'exact'), 400);
  t.is(forkAtMs('warm', 'kvm'), 50);
  t.is(forkAtMs('1.5s', 'kvm'), 1500);
  t.is(forkAtMs('quiescent', 'exact'), undefined);
});

function knob(id: string, ...modules: string[]): Policy {
  const settings = [{ path: '/sys/block/nullb0/queue/scheduler', value: id }];
  return { id, definition: { kind: 'knob', ...words, subsystem: 'io', modules, settings } };
}

test('settings are no candidates; what modules they need is loaded for every policy, each once and sorted', (t) => {
  const policies = [
    knob('kyber', 'null_blk gb=1', 'kyber_iosched'),
    EEVDF,
    knob('bfq', 'bfq', 'null_blk gb=1'),
  ];
  t.deepEqual(candidatesOf(policies), []);
  t.deepEqual(modulesOf(policies), ['bfq', 'kyber_iosched', 'null_blk gb=1']);
  t.deepEqual(ordersFor(planned, HACKBENCH, EEVDF, policies).modules, modulesOf(policies));
  t.false('modules' in ordersFor(planned, HACKBENCH, EEVDF, [EEVDF, SIMPLE]));
});
