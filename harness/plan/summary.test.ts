// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { parseSpec } from '../spec/parse-spec.ts';
import { sampleCatalog } from '../spec/sample-catalog.ts';
import { planTrials } from './plan.ts';
import { formatSummary, summarisePlan } from './summary.ts';

const TEXT = 'name: x\nimage: quick\npolicies: [eevdf, scx_simple]\nworkloads: [{ use: boot }]\n';

function summary(more: string, workloads = sampleCatalog.workloads): string {
  const spec = parseSpec(TEXT + more, 'x.yaml', sampleCatalog);
  return formatSummary(summarisePlan(spec, planTrials(spec), workloads), spec.machine.engine);
}

test('a plan says how many trials it has and how long they take in the guest', (t) => {
  t.is(summary(''), '15 trials in 5 blocks, about 7.5 s of guest time in workloads on exact');
  t.is(
    summary('controls: []\nseeds: { count: 1 }\nmachine: { engine: kvm }'),
    '2 trials in 1 block, about 0.2 s of guest time in workloads on kvm',
  );
  t.is(
    summary('seeds: { count: 600 }'),
    '1800 trials in 600 blocks, about 15 min of guest time in workloads on exact',
  );
});

test('an engine for which no time is known gets no time', (t) => {
  t.is(summary('machine: { engine: tcg }'), '15 trials in 5 blocks, on tcg');
  t.is(summary('', new Map()), '15 trials in 5 blocks, on exact');
});
