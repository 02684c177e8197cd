// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';

const ROOT = resolve(import.meta.dirname, '..');

const PROJECT: Readonly<Record<string, string>> = {
  'package.json': '{ "type": "module", "ava": { "extensions": ["ts"], "files": ["tests/**"] } }\n',
  'tsconfig.json': '{ "compilerOptions": { "noEmit": true, "strict": true }, "files": ["checked.ts"] }\n',
  'biome.json': '{ "files": { "includes": ["checked.ts"] } }\n',
  '.oxlintrc.json': readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8'),
  'checked.ts': 'export const one: number = 1;\n',
};

const PASSES = "import test from 'ava';\ntest('passes', (t) => t.pass());\n";

/** The last lines and the exit code of the report in a small project with these files. */
async function report(t: ExecutionContext, files: Readonly<Record<string, string>>, ...args: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-report-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'harness'));
  await mkdir(join(folder, 'tests'));
  await cp(join(import.meta.dirname, 'launcher'), join(folder, 'harness/launcher'), { recursive: true });
  await cp(join(import.meta.dirname, 'test-report.ts'), join(folder, 'harness/test-report.ts'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries({ ...PROJECT, ...files })) {
    await writeFile(join(folder, path), text);
  }
  const ended = await execa(process.execPath, [join(folder, 'harness/test-report.ts'), ...args], {
    cwd: join(folder, 'tests'),
    env: { AVA_FORCE_CI: 'not-ci', NO_COLOR: '1' },
    reject: false,
    all: true,
  });
  return { code: ended.exitCode, last: ended.stdout.split('\n').at(-1), text: ended.all ?? '' };
}

test('a project in which all is well ends with its count and exit code 0', async (t) => {
  const { code, last, text } = await report(t, { 'tests/a.ts': PASSES, 'tests/b.ts': PASSES });
  t.is(last, '5 passed, 0 failed', text);
  t.is(code, 0);
  t.regex(
    text,
    /^✔ types \(tsc\)\n✔ style \(biome\)\n✔ promises \(oxlint\)\n\s*✔ [ab] \(1\)\n✔ [ab] \(1\)\n\n5 passed, 0 failed$/,
  );
});

test('tests that fail, files that crash, hang, leave or have none all count as failed, and are named', async (t) => {
  const { code, last, text } = await report(t, {
    'tests/a.ts': PASSES,
    'tests/fails.ts':
      "import test from 'ava';\ntest('one is two', (t) => t.is(1, 2));\ntest.skip('later', (t) => t.pass());\n",
    'tests/throws.ts': "throw new Error('at load');\n",
    'tests/hangs.ts': "import test from 'ava';\ntest('never ends', () => new Promise(() => {}));\n",
    'tests/leaves.ts': "import test from 'ava';\ntest('leaves', () => process.exit(0));\n",
  });
  t.is(code, 1);
  t.is(last, '4 passed, 4 failed, 1 skipped', text);
  t.regex(text, /^ {2}Difference \(- actual, \+ expected\):\n\n {2}- 1\n {2}\+ 2$/m);
  t.regex(text, /^✘ fails \(1 of 2 failed, 1 skipped\)$/m);
  const named = /^Failed:\n((?: {2}.*\n)+)/m.exec(text)?.[1]?.trimEnd().split('\n').sort();
  t.deepEqual(named, [
    '  Uncaught exception in tests/throws.ts',
    '  fails › one is two',
    '  hangs › never ends Promise returned by test never resolved',
    '  ✘ 1 test remaining in tests/leaves.ts',
  ]);
});

test('a type error and a style error are failed tests with their output', async (t) => {
  const { code, last, text } = await report(t, {
    'tests/a.ts': PASSES,
    'checked.ts': "export const one: number = 'one'\n",
  });
  t.is(last, '2 passed, 2 failed', text);
  t.is(code, 1);
  t.regex(text, /^✘ types \(tsc\)\n {4}checked\.ts\(1,14\): error TS2322: /m);
  t.regex(text, /^✘ style \(biome\)\n {4}checked\.ts format /m);
});

test('a promise that nobody waits for is a failed test, of a module of others, too', async (t) => {
  const { code, text } = await report(t, {
    'tests/a.ts': PASSES,
    'checked.ts':
      "import { rm } from 'node:fs/promises';\nexport function drop(): void {\n  rm('a');\n  [1].forEach(async () => rm('b'));\n}\n",
    'tsconfig.json':
      '{ "compilerOptions": { "noEmit": true, "strict": true, "module": "nodenext", "types": ["node"] } }\n',
  });
  t.is(code, 1, text);
  t.regex(text, /^✘ promises \(oxlint\)$/m);
  t.regex(text, /no-floating-promises[\s\S]*checked\.ts:3:3/);
  t.regex(text, /no-misused-promises[\s\S]*checked\.ts:4:/);
});

test('no test is a failure', async (t) => {
  const { code, last, text } = await report(t, { 'tests/a.ts': PASSES }, 'nothing-of-that-name');
  t.is(last, '3 passed, 1 failed', text);
  t.is(code, 1);
  t.regex(text, /^ {2}no test ran for nothing-of-that-name$/m);
});

test('a file is given from the folder of the caller', async (t) => {
  const { last, text } = await report(t, { 'tests/a.ts': PASSES, 'tests/b.ts': PASSES }, 'b.ts');
  t.is(last, '4 passed, 0 failed', text);
});
