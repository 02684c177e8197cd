// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../../../core/catalog.ts';
import { NAME_PATTERN } from '../../../core/ids.ts';
import type { Spec } from '../../../core/spec.ts';
import { encodeBlocks } from '../../../lab/mailbox.ts';
import { planTrials } from '../../../plan/plan.ts';
import { ordersFor } from '../../../run/orders.ts';
import { parseSpec } from '../../../spec/parse-spec.ts';
import { MAX_TRIALS } from '../../../spec/plan-size.ts';
import { ACCEPTED } from '../fuzz.ts';
import { filesAt } from '../seeds.ts';
import { Finding, type Target } from '../target.ts';
import { refusalOf } from '../yaml-faults.ts';

/** Specs as YAML: what `validate`, `plan` and `run` read first. */
export function specTarget(root: string, catalog: Catalog): Target {
  const names = [...catalog.policies.keys(), ...catalog.workloads.keys(), ...catalog.recipes];
  return {
    name: 'spec',
    about: 'specs (YAML)',
    mostBytes: 16_384,
    seeds: [
      ...filesAt(root, 'harness/spec/{good,bad}/*.yaml', 8192),
      ...filesAt(root, 'harness/experiments/*.yaml', 8192),
    ],
    words: [...names, ...KEYS],
    read(input) {
      let spec: Spec;
      try {
        spec = parseSpec(input.toString('utf8'), 'spec.yaml', catalog);
      } catch (error) {
        return refusalOf(error, 'spec.yaml');
      }
      requireSound(spec);
      requireOrders(spec, catalog);
      return ACCEPTED;
    },
  };
}

const KEYS = [
  ...[
    'name: ',
    'image: ',
    'policies: ',
    'workloads: ',
    'machine: ',
    'engine: ',
    'vcpus: ',
    'memory: ',
    'speed: ',
    'quantum: ',
  ],
  ...[
    'topology: ',
    'nodes: ',
    'sockets: ',
    'cores: ',
    'threads: ',
    'counterfactual: ',
    'at: ',
    'seeds: ',
    'base: ',
    'count: ',
    'order: ',
  ],
  ...[
    'baseline: ',
    'probes: ',
    'probeWindowMs: ',
    'controls: ',
    'stop: ',
    'rule: width',
    'width: ',
    'minBlocks: ',
    'maxFailures: ',
    'use: ',
    'with: ',
  ],
];

/** What is promised of a spec that is accepted. */
function requireSound(spec: Spec): void {
  for (const name of [
    spec.name,
    spec.image,
    ...spec.policies,
    ...spec.workloads.map(({ workload }) => workload),
  ]) {
    // Dots within a name lead nowhere; a path needs a slash, or nothing but dots.
    if (!NAME_PATTERN.test(name) || /[/\\]|^\.+$/.test(name))
      throw new Finding(`a name that is a path: ${name}`);
  }
  const trials =
    spec.seeds.count *
    spec.workloads.length *
    spec.points.length *
    (spec.policies.length + spec.controls.length);
  if (trials > MAX_TRIALS) throw new Finding(`${trials} trials are planned`);
  // Planning takes as long as it has trials; a few show as much.
  const { trials: planned } = planTrials({
    ...spec,
    seeds: { ...spec.seeds, count: Math.min(2, spec.seeds.count) },
  });
  if (planned.length === 0) throw new Finding('nothing is planned');
}

/** The guest must be able to take what an accepted spec has it told, each argument as it is. */
function requireOrders(spec: Spec, catalog: Catalog): void {
  const [planned] = planTrials({ ...spec, seeds: { ...spec.seeds, count: 1 } }).trials;
  const workload = catalog.workloads.get(planned?.workload ?? '');
  const policies = spec.policies.map((id) => catalog.policies.get(id));
  const policy = catalog.policies.get(planned?.policy ?? '');
  if (
    planned === undefined ||
    workload === undefined ||
    policy === undefined ||
    policies.includes(undefined)
  ) {
    throw new Finding('what is planned is not in the catalog');
  }
  const orders = ordersFor(
    planned,
    workload,
    policy,
    policies as (typeof policy)[],
    spec.machine.engine,
    spec.probes,
  );
  const [, run] = encodeBlocks(orders);
  const told = run
    .toString('utf8')
    .split('\n')
    .flatMap((line) =>
      line.startsWith('run.arg ') ? [decodeURIComponent(line.slice('run.arg '.length))] : [],
    );
  if (told.join('\0') !== orders.run.join('\0'))
    throw new Finding(`the guest would be told ${told.join(' ')}`);
}
