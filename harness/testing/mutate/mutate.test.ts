// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import test from 'ava';
import { drawMutants } from './draw.ts';
import { readEquivalents, whyEquivalent } from './equivalent.ts';
import { mutantsOf, mutate } from './mutants.ts';
import { readGraph, testsOf } from './reach.ts';
import { chanceOfFewer, countOf } from './report.ts';
import { Scratch } from './scratch.ts';
import { Tries } from './try.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

/** All sources that one change away from this one. */
const changed = (source: string) => mutantsOf('a.ts', source).map((each) => mutate(source, each));

test('operators, conditions, constants, statements, awaits and calls are changed', (t) => {
  t.deepEqual(changed('f(a < b);'), [';', 'f(a <= b);', 'f(a >= b);']);
  t.deepEqual(changed('const c = a && b;'), ['const c = a || b;']);
  t.deepEqual(changed('const c = a ?? b;'), ['const c = (a);']);
  t.deepEqual(changed('const c = a + 1;'), ['const c = a - 1;', 'const c = a + 2;']);
  t.deepEqual(changed('const c = a ? b : d;'), ['const c = false ? b : d;', 'const c = true ? b : d;']);
  t.deepEqual(changed('const c = await a;'), ['const c = a;']);
  t.deepEqual(changed('const c = !a;'), ['const c = !!a;']);
  t.deepEqual(changed('const c = a?.b;'), ['const c = a.b;']);
  t.deepEqual(changed('const c = a.slice(b);'), ['const c = a;']);
  t.deepEqual(changed('const c = { a, b };'), ['const c = {  b };', 'const c = { a,  };']);
});

test('texts and types are left alone, and a change among types is at its place', (t) => {
  t.deepEqual(changed("const c: 1 | 2 = 'a' + `b` as never;"), []);
  t.deepEqual(changed('const c = (a as number) === (b as number);'), [
    'const c = (a as number) !== (b as number);',
  ]);
});

test('each change of a source is one that Node can read, and none changes nothing', (t) => {
  const source =
    'if (a !== undefined && b?.c > 3) {\n  await d(-1);\n}\nfor (let i = 0; i < 9; i++) e += i % 2;\n';
  const all = changed(source);
  t.true(all.length > 15);
  for (const each of all) t.notThrows(() => mutantsOf('a.ts', each), each);
  t.false(all.includes(source));
});

test('the same seed draws the same mutants, modules take turns, and another seed draws others', (t) => {
  const modules = ['x', 'y'].map((module) =>
    ['1', '2', '3'].map((name) => mutantsOf(`${module}/${name}.ts`, 'f(a < b, c > d, 1, 2, 3);')),
  );
  const draw = (seed: number) => drawMutants(modules, { count: 8, perFile: 2, seed });
  t.deepEqual(draw(7), draw(7));
  t.notDeepEqual(draw(7), draw(8));
  t.deepEqual(
    draw(7).map(({ file }) => file[0]),
    [...'xyxyxyxy'],
  );
  t.is(new Set(draw(7).map(({ file }) => file)).size, 4, 'two of each file before the next');
  const all = drawMutants(modules, { count: 1000, perFile: 2, seed: 7 });
  t.is(all.length, modules.flat(2).length, 'each once, however many are asked for');
  t.is(new Set(all.map((each) => JSON.stringify(each))).size, all.length);
});

test('a mutant that is listed as equivalent is known by its line, wherever that is', (t) => {
  const one = { file: 'a.ts', line: 'x < y', from: '<', to: '<=', why: 'they are never equal' };
  t.is(whyEquivalent([one], one), one.why);
  t.is(whyEquivalent([one], { ...one, to: '>=' }), undefined);
  for (const { file, line } of readEquivalents()) t.true(existsSync(join(ROOT, file)), `${file}: ${line}`);
});

test('what the checks catch or no test could notice does not count, what no test reaches does', (t) => {
  const [mutant] = mutantsOf('a.ts', 'f(1);');
  const of = (kind: 'killed' | 'timed out' | 'caught by types' | 'survived', equivalent?: string) =>
    ({
      mutant: mutant as never,
      fate: { kind, by: 'x' },
      module: '',
      line: '',
      from: '',
      equivalent,
    }) as const;
  const unreached = { ...of('survived'), fate: { kind: 'no test reaches it', by: '' } } as const;
  const all = [
    of('killed'),
    of('timed out'),
    of('caught by types'),
    of('survived'),
    of('survived', 'why'),
    unreached,
  ];
  t.deepEqual(countOf(all), {
    tried: 6,
    killed: 2,
    timedOut: 1,
    checked: 1,
    equivalent: 1,
    unreached: 1,
    survived: 1,
    rate: 0.5,
  });
  t.is(countOf([]).rate, undefined);
});

/** No import of this file. */
const A = './a.ts';
test('a draw fails when it is surely below the bound, not for bad luck or for few tries', (t) => {
  // R: pbinom(13, 24, 0.75), pbinom(12, 24, 0.75).
  t.true(Math.abs(chanceOfFewer(13, 24, 0.75) - 0.02134) < 5e-5);
  t.true(Math.abs(chanceOfFewer(24, 24, 0.75) - 1) < 1e-12);
  t.is(chanceOfFewer(0, 0, 0.75), 1);
  t.is(chanceOfFewer(3, 9, 0), 1, 'no bound');
  t.true(chanceOfFewer(2, 3, 0.75) > 0.5);
});

const PROJECT: Readonly<Record<string, string>> = {
  'package.json': '{ "type": "module", "ava": { "extensions": ["ts"], "files": ["**/*.test.ts"] } }\n',
  'tsconfig.json':
    '{ "compilerOptions": { "noEmit": true, "strict": true, "module": "nodenext", "allowImportingTsExtensions": true }, "files": ["a.ts"] }\n',
  '.oxlintrc.json': '{}\n',
  'a.ts':
    'export function least(a: number, b: number): number {\n  const all: string = String(a < b);\n  while (a > 1e9) a--;\n  return a < b ? a : b;\n}\nexport const unused = 5 < 6;\n',
  'alone.ts': 'export const alone = 1;\n',
  'a.test.ts': `import test from 'ava';\nimport { least } from '${A}';\ntest('least', (t) => t.is(least(1, 2), 1));\ntest('most', (t) => t.is(least(2, 1), 1));\n`,
  'broken.test.ts': `import test from 'ava';\nimport { least } from '${A}';\ntest('broken', (t) => t.is(least(1, 2), 7));\n`,
};

test('a mutant is killed by a test that passes without it, survives, or is reached by none; nothing is left', async (t) => {
  const project = await mkdtemp(join(tmpdir(), 'pmvx-mutated-'));
  t.teardown(() => rm(project, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(PROJECT)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
  await symlink(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  const files = Object.keys(PROJECT);
  const tests = files.filter((file) => file.endsWith('.test.ts'));
  const asked = testsOf(
    readGraph(
      project,
      files.filter((file) => file.endsWith('.ts')),
    ),
    tests,
  );
  t.deepEqual(asked('a.ts'), ['a.test.ts', 'broken.test.ts']);
  let root = '';
  {
    await using scratch = await Scratch.make(project, files, new AbortController().signal);
    root = scratch.root;
    const tries = new Tries(scratch, (file) => PROJECT[file] as string, asked, 9);
    const at = (file: string, from: string, to: string) => {
      const text = PROJECT[file] as string;
      const found = mutantsOf(file, text).find(
        (each) => text.slice(each.start, each.end) === from && each.with === to,
      );
      if (found === undefined) throw new Error(`${from} is not changed to ${to}`);
      return tries.fateOf(found);
    };
    t.deepEqual(await at('a.ts', 'a < b', 'false'), { kind: 'killed', by: 'least' });
    t.is((await at('a.ts', '6', '7')).kind, 'survived');
    t.is((await at('alone.ts', '1', '2')).kind, 'no test reaches it');
  }
  t.false(existsSync(root));
});

test('who stops it starts nothing more', async (t) => {
  const stop = new AbortController();
  await using scratch = await Scratch.make(ROOT, ['package.json'], stop.signal);
  const endless = scratch.run('ava/entrypoints/cli.js', ['--watch'], 600_000);
  stop.abort();
  await endless;
  t.is((await scratch.run('typescript/bin/tsc', ['--version'], 600_000)).code, undefined);
});
