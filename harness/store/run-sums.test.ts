// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { PmvxError } from '../core/errors.ts';
import {
  changedFiles,
  DESCRIBED,
  type DescribedName,
  formatSums,
  mendDescription,
  readSums,
  readTexts,
  SUMS_FILE,
} from './run-sums.ts';

const TEXTS = { spec: '{"a":1}\n', plan: '{"b":2}\n', provenance: '{"c":3}\n' } as const;
const NAMES = Object.keys(DESCRIBED) as DescribedName[];

/** A run's folder with what describes it. */
function described(t: ExecutionContext): {
  folder: string;
  at: (name: DescribedName) => string;
  sums: string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-sums-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: DescribedName) => join(folder, DESCRIBED[name]);
  for (const name of NAMES) writeFileSync(at(name), TEXTS[name]);
  writeFileSync(join(folder, SUMS_FILE), formatSums(TEXTS));
  return { folder, at, sums: join(folder, SUMS_FILE) };
}

test('a file that was changed, cut or lost is named, and made again as it was', async (t) => {
  for (const name of NAMES) {
    for (const text of [`${TEXTS[name]} `, TEXTS[name].slice(1), '', undefined]) {
      const { folder, at } = described(t);
      if (text === undefined) rmSync(at(name));
      else writeFileSync(at(name), text);
      const found = await readSums(folder);
      t.deepEqual(changedFiles(found, await readTexts(folder)), [name]);
      t.deepEqual(await mendDescription(folder, TEXTS), [
        `${at(name)}: was not what was written, and is made again`,
      ]);
      for (const each of NAMES) t.is(readFileSync(at(each), 'utf8'), TEXTS[each]);
      t.deepEqual(await mendDescription(folder, TEXTS), [], 'and there is nothing to mend any more');
      t.is(readdirSync(folder).length, 4, 'nothing else is left');
    }
  }
});

test('a spec or plan that the same spec does not lead to is not made again; provenance needs no other', async (t) => {
  for (const name of ['spec', 'plan'] as const) {
    for (const again of [undefined, { ...TEXTS, [name]: 'another' }]) {
      const { folder, at } = described(t);
      writeFileSync(at(name), 'changed');
      const error = await t.throwsAsync(mendDescription(folder, again), { instanceOf: PmvxError });
      t.true(error.message.startsWith(`${at(name)}: not what was written`));
      t.is(readFileSync(at(name), 'utf8'), 'changed', 'it is left as it is');
    }
  }
  const { folder, at } = described(t);
  writeFileSync(at('provenance'), '');
  await mendDescription(folder, undefined);
  t.is(readFileSync(at('provenance'), 'utf8'), TEXTS.provenance);
});

test('sums that were damaged are made again from the files, and vouch for nothing until then', async (t) => {
  const whole = formatSums(TEXTS);
  const other = JSON.stringify({ ...JSON.parse(whole), copy: 'x' });
  for (const text of ['', whole.slice(0, -9), other, whole.replace('"v": 1', '"v": 2')]) {
    const { folder, sums } = described(t);
    writeFileSync(sums, text);
    t.is(await readSums(folder), 'damaged', text);
    t.deepEqual(changedFiles('damaged', TEXTS), []);
    t.deepEqual(await mendDescription(folder, TEXTS), [
      `${sums}: was damaged, and is made again from the files`,
    ]);
    t.is(readFileSync(sums, 'utf8'), whole);
  }
});

test('a run from before there were sums gets none', async (t) => {
  const { folder, at, sums } = described(t);
  rmSync(sums);
  writeFileSync(at('plan'), 'changed');
  t.is(await readSums(folder), 'absent');
  t.deepEqual(changedFiles('absent', await readTexts(folder)), []);
  t.deepEqual(await mendDescription(folder, TEXTS), []);
  t.false(existsSync(sums));
});

test('what cannot be read is no run without sums', async (t) => {
  const { folder, sums } = described(t);
  await t.throwsAsync(readSums(join(folder, SUMS_FILE)), { code: 'ENOTDIR' });
  await t.throwsAsync(readTexts(sums), { code: 'ENOTDIR' });
});
