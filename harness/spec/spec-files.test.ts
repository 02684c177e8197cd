// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { parseSpec } from './parse-spec.ts';
import { sampleCatalog } from './sample-catalog.ts';

// Each case is a file: good/x.yaml normalises to good/x.expected.json, bad/x.yaml is refused with bad/x.expected.txt.

function cases(kind: 'good' | 'bad', extension: string): { name: string; text: string; expected: string }[] {
  const folder = join(import.meta.dirname, kind);
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  return files.map((file) => {
    const expected = join(folder, file.replace(/\.yaml$/, `.expected.${extension}`));
    return {
      name: file,
      text: readFileSync(join(folder, file), 'utf8'),
      expected: readFileSync(expected, 'utf8'),
    };
  });
}

for (const { name, text, expected } of cases('good', 'json')) {
  test(`good/${name} becomes the spec that is expected`, (t) => {
    t.deepEqual(parseSpec(text, name, sampleCatalog), JSON.parse(expected));
  });
}

for (const { name, text, expected } of cases('bad', 'txt')) {
  test(`bad/${name} is refused with every fault that is expected`, (t) => {
    const error = t.throws(() => parseSpec(text, name, sampleCatalog), { instanceOf: PmvxError });
    t.is(`${error?.message}\n`, expected);
    t.is(error?.code, ExitCode.usage);
  });
}

test('there are cases of both kinds', (t) => {
  t.true(cases('good', 'json').length >= 3);
  t.true(cases('bad', 'txt').length >= 25);
});
