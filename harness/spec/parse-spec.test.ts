// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { PmvxError } from '../core/errors.ts';
import { type Policy, PolicySchema } from '../core/policy.ts';
import type { EngineName } from '../core/trial.ts';
import { parseSpec } from './parse-spec.ts';
import { sampleCatalog } from './sample-catalog.ts';

const HEAD = 'name: x\nimage: quick\n';
const WORKLOADS = 'workloads: [{ use: boot }]\n';

const faultsOf = (text: string): string[] => {
  try {
    parseSpec(text, 's.yaml', sampleCatalog);
    return [];
  } catch (error) {
    if (error instanceof PmvxError) return error.message.split('\n');
    throw error;
  }
};

test('a spec with Windows line ends and a byte order mark says the same', (t) => {
  const text = `${HEAD}policies: [eevdf]\n${WORKLOADS}`;
  const plain = parseSpec(text, 's.yaml', sampleCatalog);
  t.deepEqual(parseSpec(`\uFEFF${text.replaceAll('\n', '\r\n')}`, 's.yaml', sampleCatalog), plain);
});

test('the variant does not depend on the order in which parameters are written', (t) => {
  const variant = (given: string) => {
    const workloads = `workloads: [{ use: hackbench, with: ${given} }]\n`;
    return parseSpec(`${HEAD}policies: [eevdf]\n${workloads}`, 's', sampleCatalog).workloads[0]?.variant;
  };
  t.is(variant('{ loops: 5, groups: 3 }'), 'transport=pipe,groups=3,loops=5');
  t.is(variant('{ groups: 3, loops: 5, transport: pipe }'), 'transport=pipe,groups=3,loops=5');
});

test('another engine than the one written changes what follows from it, and nothing else', (t) => {
  const text = (more: string) => `${HEAD}policies: [eevdf]\n${WORKLOADS}${more}`;
  const on = (engine: EngineName | undefined, more = '') => parseSpec(text(more), 's', sampleCatalog, engine);
  const plain = on(undefined);
  t.is(plain.counterfactual, 'fork');
  for (const engine of ['tcg', 'kvm', 'mock', 'native'] as const) {
    t.deepEqual(on(engine), { ...plain, machine: { ...plain.machine, engine }, counterfactual: 'boot' });
  }
  t.is(on('kvm', 'counterfactual: fork\n').counterfactual, 'fork');
  t.is(on('mock', 'counterfactual: fork\n').counterfactual, 'boot');
  t.is(on('exact', 'counterfactual: boot\n').counterfactual, 'boot');
});

test('more schedulers or kernel modules than a machine has room for are faults of the spec', (t) => {
  const words = { summary: 'a', suits: 'a', weakness: 'a', source: 'a' };
  const policies = (count: number, rest: (n: number) => object) =>
    Array.from({ length: count }, (_, n) => ({
      id: `p${n}`,
      definition: PolicySchema.parse({ ...words, ...rest(n) }),
    }));
  const faultsWith = (added: readonly Policy[]) => {
    const known = new Map([...sampleCatalog.policies, ...added.map((each) => [each.id, each] as const)]);
    const text = `${HEAD}policies: [eevdf, ${added.map(({ id }) => id).join(', ')}]\n${WORKLOADS}`;
    try {
      parseSpec(text, 's.yaml', { ...sampleCatalog, policies: known });
      return '';
    } catch (error) {
      return (error as PmvxError).message;
    }
  };
  const schedulers = (n: number) => ({ kind: 'process', argv: [`/bin/p${n}`], ops: `p${n}` });
  t.is(faultsWith(policies(64, schedulers)), '');
  const next = 'Split the experiment';
  t.is(
    faultsWith(policies(65, schedulers)),
    `s.yaml:3:11: policies have 65 sched_ext schedulers; a machine holds at most 64. ${next}`,
  );
  const settings = (n: number) => ({
    ...{ kind: 'knob', subsystem: 'memory', modules: [`m${n}`] },
    settings: [{ path: '/proc/sys/vm/swappiness', value: String(n) }],
  });
  t.is(faultsWith(policies(16, settings)), '');
  t.is(
    faultsWith(policies(17, settings)),
    `s.yaml:3:11: policies need 17 kernel modules; a machine loads at most 16. ${next}`,
  );
});

test("parameters that are not given take the values for real processors there, by the spec's own engine", (t) => {
  const hackbench = sampleCatalog.workloads.get('hackbench');
  if (hackbench === undefined) return t.fail();
  const definition = { ...hackbench.definition, kvm: { loops: 4000, groups: 8 } };
  const catalog = {
    ...sampleCatalog,
    workloads: new Map(sampleCatalog.workloads).set('hackbench', { ...hackbench, definition }),
  };
  const variant = (written: EngineName, engine?: EngineName) => {
    const workloads = 'workloads: [{ use: hackbench, with: { groups: 3 } }]\n';
    const text = `${HEAD}policies: [eevdf]\n${workloads}machine: { engine: ${written} }\n`;
    return parseSpec(text, 's', catalog, engine).workloads[0]?.variant;
  };
  const usual = 'transport=pipe,groups=3,loops=60';
  const larger = 'transport=pipe,groups=3,loops=4000';
  for (const engine of ['exact', 'tcg', 'mock'] as const) t.is(variant(engine), usual);
  for (const engine of ['kvm', 'native'] as const) t.is(variant(engine), larger);
  // Engines that are compared run the same work.
  t.is(variant('exact', 'native'), usual);
  t.is(variant('kvm', 'exact'), larger);
});

test('exactly a hundred thousand trials are a plan, and one block more is not', (t) => {
  const policies = 'policies: [eevdf, scx_simple, scx_flatcg, scx_central, scx_simple-fifo]\n';
  const spec = (count: number) =>
    `${HEAD}${policies}workloads: [{ use: boot }, { use: hackbench }]\nseeds: { count: ${count} }\n`;
  t.deepEqual(faultsOf(spec(10_000)), []);
  t.deepEqual(faultsOf(spec(10_001)), [
    's.yaml:5:17: seeds.count must be at most 10000, got 10001. Blocks: every policy meets every workload once in each, 1 to 10000. Default: 5.',
    's.yaml:5:17: this plan has 100010 trials: 10001 blocks x 2 workloads x 5 policies. The limit is 100000: lower seeds.count, or split the experiment.',
  ]);
});

test('thousands of faults are told as the first hundred and a count', (t) => {
  const names = Array.from({ length: 3000 }, (_, index) => `nobody-${index}`);
  const faults = faultsOf(`${HEAD}policies: [eevdf, ${names.join(', ')}]\n${WORKLOADS}`);
  t.is(faults.length, 101);
  t.regex(faults[0] ?? '', /^s\.yaml:3:19: there is no policy "nobody-0"/);
  t.is(faults.at(-1), 's.yaml: 2900 more faults. Mend these first.');
});

test('thousands of unknown keys do not take quadratic time', (t) => {
  const keys = Array.from({ length: 30_000 }, (_, index) => `k${index}:`).join('\n');
  const faults = faultsOf(`${HEAD}policies: [eevdf]\n${WORKLOADS}${keys}\n`);
  t.is(faults.length, 21, 'twenty by name, and how many more');
  t.regex(faults.join('\n'), /29980 more unknown keys/);
});

test('with nothing to choose from the message says so', (t) => {
  const empty = { ...sampleCatalog, recipes: [] };
  const error = t.throws(() => parseSpec(`${HEAD}policies: [eevdf]\n${WORKLOADS}`, 's.yaml', empty));
  t.is(error?.message, 's.yaml:2:8: there is no image recipe "quick". There is none to choose from');
});
