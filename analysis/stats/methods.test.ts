// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { benjaminiHochberg, holm } from './adjust.ts';
import { bootstrapMean } from './bootstrap-mean.ts';
import { differencesFrom, type ReferenceCase, readVectors } from './check-reference.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { outlierPlaces } from './outliers.ts';
import { detectableEffect, powerOfT } from './power.ts';
import { randomWords, uniform } from './random.ts';
// Made by methods-reference.R and methods-reference.py from vectors.csv; their headers have the commands.
import r from './reference-r.json' with { type: 'json' };
import scipy from './reference-scipy.json' with { type: 'json' };
import { signFlipTest } from './sign-flip.ts';
import { studentTails } from './student.ts';

const VECTORS = readVectors(join(import.meta.dirname, 'vectors.csv'));

for (const [program, { cases }] of Object.entries({ R: r, SciPy: scipy })) {
  test(`the committed vectors have the figures of ${program}`, (t) => {
    t.is(cases.length, VECTORS.size);
    t.deepEqual(
      cases.flatMap((each) => differencesFrom(each as ReferenceCase, VECTORS.get(each.title) ?? [])),
      [],
    );
  });
}

test('random data have the figures of R and of SciPy, which compute them now', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-stats-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'vectors.csv');
  const seed = Date.now();
  const words = randomWords(seed, 'vectors');
  const lines = [5, 9, 40].flatMap((n) =>
    Array.from({ length: n }, () => {
      const base = 1 + uniform(words);
      return `"${n} of seed ${seed}",${base * (0.8 + uniform(words) ** 2)},${base}`;
    }),
  );
  writeFileSync(path, `case,a,b\n${lines.join('\n')}\n`);
  const script = (name: string) => join(import.meta.dirname, name);
  const outputs = await Promise.all([
    execa('Rscript', [script('methods-reference.R'), path]),
    execa('/usr/bin/python3', ['-W', 'ignore', script('methods-reference.py'), path]),
  ]);
  const vectors = readVectors(path);
  for (const { stdout } of outputs) {
    const { cases } = JSON.parse(stdout) as { cases: ReferenceCase[] };
    t.is(cases.length, 3);
    t.deepEqual(
      cases.flatMap((each) => differencesFrom(each, vectors.get(each.title) ?? [])),
      [],
    );
  }
});

test('a wrong figure is found', (t) => {
  const [first] = scipy.cases;
  if (first === undefined) return t.fail();
  const wrong = { ...first, p: 0.0624, pT: first.pT * (1 + 1e-4), bca: [-0.6, -0.5] };
  t.deepEqual(
    differencesFrom(wrong, VECTORS.get(first.title) ?? []).map((line) => line.split(' is ')[0]),
    ['p of t', 'p of sign flips', 'bca low'].map((name) => `${first.title}: ${name}`),
  );
});

const near = (own: number, theirs: number) => Math.abs(own - theirs) <= 1e-9 * Math.abs(theirs);

test('distributions are those of R, far out in the tails as well', (t) => {
  const { normal, student } = r;
  normal.x.forEach((x, at) => {
    t.true(near(normalCdf(x), normal.cdf[at] as number), `pnorm(${x}): ${normalCdf(x)}`);
  });
  normal.p.forEach((p, at) => {
    t.true(Math.abs(normalQuantile(p) - (normal.quantile[at] as number)) < 1e-9, `qnorm(${p})`);
  });
  for (const [name, tails] of Object.entries(student)) {
    if (name === 't') continue;
    const df = Number(name.slice(2));
    tails.forEach((tail, at) => {
      const value = student.t[at] as number;
      t.true(near(studentTails(value, df), tail), `2 pt(-${value}, ${df}): ${studentTails(value, df)}`);
    });
  }
});

test("Holm's and Benjamini and Hochberg's adjustments are R's p.adjust, ties and all", (t) => {
  const { p, holm: byHolm, bh } = r.adjust;
  holm(p).forEach((own, at) => {
    t.true(near(own, byHolm[at] as number), `${own}`);
  });
  benjaminiHochberg(p).forEach((own, at) => {
    t.true(near(own, bh[at] as number), `${own}`);
  });
  t.deepEqual([holm([]), benjaminiHochberg([])], [[], []]);
});

test("the effect that a test sees four times in five is R's", (t) => {
  const { n, effect } = r.power;
  n.forEach((size, at) => {
    t.true(
      near(detectableEffect(size - 1), effect[at] as number),
      `${size}: ${detectableEffect(size)}, R: ${effect[at]}`,
    );
  });
  t.true(Math.abs(powerOfT(0, 5) - 0.05) < 1e-9);
});

test('sign flips: few values cannot reach 0.05, equal sums are equal, zeros have no sign', (t) => {
  const p = (values: number[]) => signFlipTest(values, randomWords(1));
  t.is(p([1, 2, 3, 4, 5]), 2 / 2 ** 5);
  t.is(p([1, 1, -1, -1]), 1);
  t.is(p([0.1, 0.2, 0.3, -0.3]), 0.75);
  t.is(p([3]), 1);
  t.is(p([0, 0]), 1);
  t.is(p([0, 1, 2]), 0.5);
  t.is(p([]), undefined);
  const sixteen = Array.from({ length: 16 }, (_, at) => Math.sqrt(at + 1) * (at % 3 === 0 ? -1 : 1));
  t.is(p([...sixteen, 0, 0, 0]), p(sixteen), 'zeros do not make sixteen values too many to try them all');
  const many = Array.from({ length: 40 }, () => 1);
  t.is(p(many), 1 / 20_000, 'random assignments never give 0');
});

test('resampling follows from the seed alone, and values without spread have no width', (t) => {
  const values = Array.from({ length: 12 }, (_, at) => Math.sqrt(at));
  const once = bootstrapMean(values, 0.95, randomWords(7));
  t.deepEqual(bootstrapMean(values, 0.95, randomWords(7)), once);
  t.notDeepEqual(bootstrapMean(values, 0.95, randomWords(8)), once);
  t.deepEqual(bootstrapMean([0.5, 0.5], 0.95, randomWords(7))?.bca, { low: 0.5, high: 0.5 });
  t.is(bootstrapMean([1], 0.95, randomWords(7)), undefined);
});

test('a value far from the others is told; few values or rounding make none', (t) => {
  t.deepEqual(outlierPlaces([1, 1.1, 0.9, 1.05, 9, 0.95]), [4]);
  t.deepEqual(outlierPlaces([1, 1, 1, 1, 1, 1, 1, 2]), [7], 'more than half are equal');
  t.deepEqual(outlierPlaces([1, 1.1, 0.9, 1.05, 9]), [4], 'five are enough');
  t.deepEqual(outlierPlaces([1, 1.1, 0.9, 9]), [], 'four are not');
  // 0.6745 (x - median) / MAD of 3.4 and 3.6, with median 0 and MAD 0.6745.
  const beside = (x: number) => outlierPlaces([-0.6745, -0.6745, 0, 0.6745, x]);
  t.deepEqual([beside(3.4), beside(3.6)], [[], [4]]);
  t.deepEqual(outlierPlaces([1, 1, 1, 1, 1 + 1e-15]), []);
});
