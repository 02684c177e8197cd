// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../core/load-catalog.ts';
import { parseSpec } from '../spec/parse-spec.ts';
import { sampleCatalog } from '../spec/sample-catalog.ts';
import { planTrials } from './plan.ts';
import { formatSummary, summarisePlan } from './summary.ts';

const TEXT = 'name: x\nimage: quick\npolicies: [eevdf, scx_simple]\nworkloads: [{ use: boot }]\n';

const shipped = await loadCatalog(join(import.meta.dirname, '../..'));

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

function ofHackbench(use: string, machine = '{ vcpus: 4 }'): number | undefined {
  const text = `name: x\nimage: quick\npolicies: [eevdf]\nworkloads: [{ ${use} }]\nmachine: ${machine}\ncontrols: []\n`;
  const spec = parseSpec(text, 'x.yaml', shipped);
  return summarisePlan(spec, planTrials(spec), shipped.workloads).guestSeconds;
}

test('no time is said for parameters, CPUs or a speed that it was not measured with', (t) => {
  t.is(ofHackbench('use: hackbench'), 1.25);
  t.is(ofHackbench('use: hackbench, with: { loops: 60 }'), 1.25);
  t.is(ofHackbench('use: hackbench, with: { loops: 900 }'), undefined);
  t.is(ofHackbench('use: hackbench', '{ vcpus: 2 }'), undefined);
  t.is(ofHackbench('use: hackbench', '{ vcpus: 4, speed: 125 }'), undefined);
  t.is(ofHackbench('use: replay'), 5);
  t.is(ofHackbench('use: replay, with: { jitter_per_mille: 20 }'), undefined);
});

test('a processor has its own usual parameters', (t) => {
  t.is(ofHackbench('use: cyclictest-load', '{ engine: kvm, vcpus: 4 }'), 12.5);
  t.is(ofHackbench('use: cyclictest-load, with: { loops: 300 }', '{ engine: kvm, vcpus: 4 }'), undefined);
});
