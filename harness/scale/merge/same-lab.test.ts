// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { EngineName } from '../../core/trial.ts';
import type { NodeFacts } from '../../store/nodes.ts';
import { type LabOfPart, labDifferences } from './same-lab.ts';
import { MERGED_SPEC } from './scene.ts';

/** A part by its nodes and the host of its controller. */
function lab(name: string, nodes: readonly string[], host: string, engine: EngineName = 'kvm'): LabOfPart {
  const facts = (cpuModel: string): NodeFacts => ({
    name,
    cpuModel,
    cores: 2,
    memoryMiB: 4096,
    kernel: '6.1',
  });
  return {
    name,
    part: {
      spec: { ...MERGED_SPEC, machine: { ...MERGED_SPEC.machine, engine } },
      plan: { trials: [], digest: 'd' },
      nodes: Object.fromEntries(nodes.map((cpuModel) => [`${name}-${cpuModel}`, facts(cpuModel)])),
      provenance: {
        v: 1,
        run: name,
        createdAt: '2026-01-02T03:04:05.000Z',
        pmvx: { version: '0.1.0' },
        host: { cpuModel: host, cores: 2, memoryMiB: 4096, kernel: '6.1', node: 'v24' },
        engine,
        image: {},
        seeds: { base: 7, count: 5 },
      },
    },
  };
}

const ofHosts = (a: LabOfPart, b: LabOfPart) => labDifferences([a, b]).length > 0;

test('in real time it is the nodes of the trials that must agree, not the hosts of the controllers', (t) => {
  t.true(ofHosts(lab('a', ['A'], 'same'), lab('b', ['B'], 'same')));
  t.false(ofHosts(lab('a', ['A'], 'one'), lab('b', ['A'], 'other')));
  t.true(ofHosts(lab('a', ['A'], 'same'), lab('b', ['A', 'B'], 'same')));
  t.regex(
    labDifferences([lab('a', ['A'], 'x'), lab('b', ['B'], 'x')])[0] ?? '',
    /^b has another hosts than a .*"A.*"B/,
  );
});

test('of runs from before nodes were kept the host of the controller stands for all', (t) => {
  t.true(ofHosts(lab('a', [], 'A'), lab('b', [], 'B')));
  t.false(ofHosts(lab('a', [], 'A'), lab('b', [], 'A')));
  t.false(ofHosts(lab('a', [], 'A'), lab('b', ['A'], 'other')));
});

test('on a deterministic engine no host matters', (t) => {
  t.false(ofHosts(lab('a', ['A'], 'A', 'exact'), lab('b', ['B'], 'B', 'exact')));
});
