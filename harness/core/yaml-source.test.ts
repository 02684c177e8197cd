// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { formatFault } from './errors.ts';
import { MAX_YAML_CHARACTERS, readYaml } from './yaml-source.ts';

const faultsOf = (text: string): string[] => readYaml(text, 'a.yaml').faults.map(formatFault);

const SPEC = 'name: x\nseeds: { base: 7, count: 0 }\nworkloads:\n  - use: hackbench\n  -\nempty:\n';

test('a value is located by line and column of its first character', (t) => {
  const { faults, locate } = readYaml(SPEC, 'a.yaml');
  t.deepEqual(faults, []);
  t.is(locate(['seeds', 'count']), 'a.yaml:2:26');
  t.is(locate(['seeds', 'count'], 'key'), 'a.yaml:2:19');
  t.is(locate(['workloads', 0, 'use']), 'a.yaml:4:10');
  t.is(locate([]), 'a.yaml:1:1');
});

test('what the text does not hold is located at what encloses it', (t) => {
  const { locate } = readYaml(SPEC, 'a.yaml');
  t.is(locate(['seeds', 'order']), 'a.yaml:2:8');
  t.is(locate(['workloads', 7, 'use']), 'a.yaml:4:3');
  t.is(locate(['empty']), 'a.yaml:6:1', 'a key without a value is found at the key');
});

for (const [name, text, expected] of [
  ['an empty file', '', ['a.yaml:1:1: the file is empty. Write a mapping of keys to values']],
  ['comments alone', '# nothing\n', ['a.yaml:1:1: the file is empty. Write a mapping of keys to values']],
  [
    'duplicate keys',
    'a: 1\na: 2\nb: {c: 1, c: 2}\n',
    [
      'a.yaml:2:1: key a appears twice. Keep one of the two',
      'a.yaml:3:11: key c appears twice. Keep one of the two',
    ],
  ],
  [
    'an anchor and its alias',
    'a: &x 1\nb: *x\n',
    [
      'a.yaml:1:7: anchor &x is not supported. Write the value out here',
      'a.yaml:2:4: alias *x is not supported. Write the value out here',
    ],
  ],
  [
    'a second document',
    'a: 1\n---\nb: 2\n',
    ['a.yaml:2:1: a second YAML document begins here. Keep one document a file'],
  ],
  [
    'a collection as a key',
    '? [1, 2]\n: 3\n',
    ['a.yaml:1:3: a key must be plain text. Write it without brackets'],
  ],
  [
    'a tag',
    'a: !secret 3\nb: !!str 4\n',
    [
      'a.yaml:1:12: tag !secret is not supported. Write the value out here',
      'a.yaml:2:10: tag !!str is not supported. Write the value out here',
    ],
  ],
] as const) {
  test(`${name} is a fault with its place`, (t) => {
    t.deepEqual(faultsOf(text), [...expected]);
  });
}

test('a value can be read beside refused nodes, and what is no YAML has none', (t) => {
  t.deepEqual(readYaml('a: 1\na: 2\nb: *x\n? [k]\n: 3\n', 'a.yaml').value, { a: 2, b: null });
  t.is(readYaml('a: [1, 2\n', 'a.yaml').value, undefined);
  t.is(readYaml('', 'a.yaml').value, undefined);
});

test('a message never repeats a control character to the terminal', (t) => {
  t.deepEqual(faultsOf('"\\e[31m": 1\n"\\e[31m": 2\n'), [
    'a.yaml:2:1: key \\u001b[31m appears twice. Keep one of the two',
  ]);
});

test('tens of thousands of equal keys are each found', (t) => {
  const text = Array.from({ length: 30_000 }, () => 'a:').join('\n');
  t.is(faultsOf(text).length, 29_999);
});

test('a syntax error says where', (t) => {
  const [first = ''] = faultsOf('name: x\nlist: [1, 2\n');
  t.regex(first, /^a\.yaml:3:1: not valid YAML: .*end with a \]/);
});

test('a text nested thousands of levels deep is one fault, not a crash', (t) => {
  for (const text of ['['.repeat(20_000), `${'- '.repeat(20_000)}\nb: 1`]) {
    const faults = faultsOf(text);
    t.is(faults.length, 1);
    t.regex(faults[0] ?? '', /^a\.yaml:1:\d+: values are nested too deeply/);
  }
});

test('a text beyond the limit is refused before it is parsed', (t) => {
  const text = 'x'.repeat(MAX_YAML_CHARACTERS + 1);
  t.deepEqual(faultsOf(text), [
    'a.yaml: the file has 1048577 characters; at most 1048576 are read. Split it, or check that it is the right file',
  ]);
});
