// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { z } from 'zod';
import { formatFault } from './errors.ts';
import { readYaml } from './yaml-source.ts';
import { zodFaults } from './zod-faults.ts';

const schema = z.strictObject({
  name: z.string().regex(/^[a-z]+$/, 'must be lower-case letters'),
  seeds: z.strictObject({ base: z.int(), count: z.int().min(2) }).optional(),
  engine: z.enum(['exact', 'kvm']).default('exact'),
  uses: z
    .array(z.union([z.string(), z.strictObject({ use: z.string(), with: z.string().optional() })]))
    .min(1),
  params: z
    .record(
      z.string().regex(/^[a-z]+$/),
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('int'), max: z.int() }),
        z.strictObject({ type: z.literal('choice'), values: z.array(z.string()) }),
      ]),
    )
    .optional(),
});

function faultsOf(text: string): string[] {
  const source = readYaml(text, 'a.yaml');
  const { error } = schema.safeParse(source.value);
  return error ? zodFaults(error, source, schema).map(formatFault) : [];
}

test('a text that fits the schema has no faults', (t) => {
  t.deepEqual(faultsOf('name: a\nuses: [x, {use: y}]\n'), []);
});

test('every fault is reported at once, in plain words, with place and value seen', (t) => {
  const text = 'name: A 1\nseeds: { base: 1.5, count: 1 }\nengine: exacd\nuses: []\n';
  t.deepEqual(faultsOf(text), [
    'a.yaml:1:7: name must be lower-case letters, got "A 1"',
    'a.yaml:2:16: seeds.base must be a whole number, got 1.5',
    'a.yaml:2:28: seeds.count must be at least 2, got 1',
    'a.yaml:3:9: engine must be one of exact, kvm, got "exacd". Did you mean exact?',
    'a.yaml:4:7: uses must have at least 1 entry, got []',
  ]);
});

test('an unknown key is reported at the key, with the key that was meant', (t) => {
  t.deepEqual(faultsOf('nme: a\nname: a\nuses: [{use: y, wiht: z}]\n'), [
    'a.yaml:3:17: unknown key wiht in uses[0]. Did you mean with?',
    'a.yaml:1:1: unknown key nme. Did you mean name?',
  ]);
});

test('in a tagged union the hint names only keys of the branch that was chosen', (t) => {
  t.deepEqual(faultsOf('name: a\nuses: [x]\nparams:\n  p: { type: int, max: 3, valus: 1 }\n'), [
    'a.yaml:4:27: unknown key valus in params.p. Known are: type, max',
  ]);
});

test('an unknown tag lists those that exist', (t) => {
  t.deepEqual(faultsOf('name: a\nuses: [x]\nparams:\n  p: { type: in }\n  q: {}\n'), [
    'a.yaml:4:14: params.p.type must be one of int, choice, got "in". Did you mean int?',
    'a.yaml:5:6: params.q.type is missing. Add it; it must be one of int, choice',
  ]);
});

test('a missing key is reported at the mapping that lacks it', (t) => {
  t.deepEqual(faultsOf('uses: [x]\nseeds: { base: 1 }\n'), [
    'a.yaml:1:1: name is missing. Add it; it must be text',
    'a.yaml:2:8: seeds.count is missing. Add it; it must be a number',
  ]);
});

test('a value of no allowed type names the allowed types', (t) => {
  t.deepEqual(faultsOf('name: a\nuses: [3]\n'), ['a.yaml:2:8: uses[0] must be text or a mapping, got 3']);
  t.deepEqual(faultsOf('- a\n'), ['a.yaml:1:1: the file must be a mapping, got ["a"]']);
});

test('a key of a record that breaks the rule for names is reported at the key', (t) => {
  t.deepEqual(faultsOf('name: a\nuses: [x]\nparams: { P1: { type: int, max: 1 } }\n'), [
    'a.yaml:3:11: the name params.P1 must match /^[a-z]+$/. Rename it',
  ]);
});

test('the own words of a schema are used: its descriptions as next step, its messages for a union', (t) => {
  const described = z.strictObject({
    count: z.int().max(9).default(5).describe('Blocks, at most 9.'),
    image: z.string().describe('Name of a recipe.'),
    speed: z.union([z.literal('fastest'), z.number()], { error: 'must be fastest or a number' }).optional(),
  });
  const source = readYaml('count: 1e300\nspeed: slow\n', 'a.yaml');
  const { error } = described.safeParse(source.value);
  t.deepEqual(error ? zodFaults(error, source, described).map(formatFault) : [], [
    'a.yaml:1:8: count must be at most 9, got 1e+300. Blocks, at most 9.',
    'a.yaml:1:1: image is missing. Add it: Name of a recipe.',
    'a.yaml:2:8: speed must be fastest or a number, got "slow"',
  ]);
});

test('of many unknown keys the first are named, and the rest are counted', (t) => {
  const keys = Array.from({ length: 1000 }, (_, at) => `unknown${at}: 1\n`).join('');
  const faults = faultsOf(`name: a\nuses: [x]\n${keys}`);
  t.is(faults.length, 21);
  t.regex(faults[0] ?? '', /^a\.yaml:3:1: unknown key unknown0\. /);
  t.regex(faults[20] ?? '', /980 more unknown keys/);
});
