// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type SampleEnd, sampleRun } from '../../analysis/tables/sample-run.ts';
import { ExitCode } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import { createRun, type OpenRun } from '../store/run-folder.ts';
import { sampleDescription, unsealed } from '../store/sample-records.ts';
import { type AnalyzeArgs, analyzeCommand } from './analyze.ts';
import type { CommandContext } from './context.ts';

const REFUSED = { state: 'refused', reason: 'the verifier said no' } as const;

/** A run of one workload in a folder, and what `pmvx analyze` makes of it. */
async function scene(t: ExecutionContext, ends: Readonly<Record<string, readonly SampleEnd[]>>) {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-bad-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const input = sampleRun([{ workload: 'hackbench', ends }]);
  const { spec, provenance } = sampleDescription(input.records);
  const folder = join(root, 'results', 'runs', 'sample');
  const described = { spec: { ...spec, ...input.spec } as Spec, plan: { trials: input.planned }, provenance };
  const run: OpenRun = await createRun(folder, described);
  t.teardown(() => run.close());
  for (const record of input.records) await run.log.append(record);
  const analyze = async (args: Partial<AnalyzeArgs> = {}) => {
    const out: string[] = [];
    const err: string[] = [];
    const context = {
      ...{ root, env: {}, isTTY: false },
      ...{ write: (line: string) => out.push(line), warn: (line: string) => err.push(line) },
    } as unknown as CommandContext;
    const code = await analyzeCommand({ runs: ['sample'], ...args }, context);
    return { code, text: out.join('\n'), out, err };
  };
  const table = async () => {
    const { text } = await analyze({ json: true });
    return JSON.parse(text) as { rows: Record<string, unknown>[]; notes: string[] };
  };
  const simple = async () => (await table()).rows.find(({ policy }) => policy === 'scx_simple') ?? {};
  return { folder, log: join(folder, 'trials.jsonl'), analyze, table, simple };
}

test('a run that a controller still writes is read as far as it is, and says so', async (t) => {
  const { folder, analyze } = await scene(t, { eevdf: [1, 2, undefined], scx_simple: [1, 2, undefined] });
  t.true(readdirSync(folder).includes('run.lock'), 'it is held');
  const { code, text } = await analyze();
  t.is(code, ExitCode.ok);
  t.true(text.includes('* not finished: 4 of 6 planned trials are recorded so far'), text);
});

test('a run with nothing recorded yet has its rows and no figures', async (t) => {
  const { analyze, simple } = await scene(t, { eevdf: [undefined], scx_simple: [undefined] });
  t.is((await analyze()).code, ExitCode.ok);
  t.deepEqual(
    [(await simple()).ratio, (await simple()).failure_rate, (await simple()).n],
    [undefined, undefined, 0],
  );
});

test('a run with only failures has a failure rate of 1, says that it fails, and has no figure or rank', async (t) => {
  const { analyze, simple } = await scene(t, { eevdf: [REFUSED, REFUSED], scx_simple: [REFUSED, REFUSED] });
  t.is((await analyze()).code, ExitCode.ok);
  const row = await simple();
  t.is(row.failure_rate, 1);
  t.is(row.verdict, 'fails');
  for (const name of ['median', 'ratio', 'low', 'p', 'rank', 'metric', 'p_differs'])
    t.false(name in row, name);
});

test('a policy that is missing in some blocks is compared in the others, and that is said', async (t) => {
  const { table } = await scene(t, { eevdf: [1, 2, 4, REFUSED], scx_simple: [2, REFUSED, 8, 8] });
  const { rows, notes } = await table();
  t.like(rows[1], { n: 2, ratio: 2, failure_rate: 0.25 });
  t.false('rank' in (rows[1] ?? {}), 'it failed');
  t.true(
    notes.includes(
      'hackbench default, scx_simple: 2 of 4 blocks have both values; the ratio is of these alone',
    ),
    notes.join('\n'),
  );
});

test('a policy with failures that would be first is told of, and has no rank', async (t) => {
  const { table } = await scene(t, { eevdf: [1, 2], scx_simple: [0.1, REFUSED], scx_flatcg: [0.5, 1] });
  const { rows, notes } = await table();
  t.deepEqual(
    rows.map(({ policy, rank }) => [policy, rank]),
    [
      ['eevdf', 2],
      ['scx_simple', undefined],
      ['scx_flatcg', 1],
    ],
  );
  t.true(
    notes.some((note) => note.includes('scx_simple: would rank first, but 1 of 2 trials did not complete')),
    notes.join('\n'),
  );
});

test('a metric that is not finite, or no number, is a corrupt line with its number', async (t) => {
  for (const value of ['1e999', 'null', '"0.5"']) {
    const { log, analyze } = await scene(t, { eevdf: [1.25], scx_simple: [1, 2] });
    writeFileSync(log, unsealed(readFileSync(log, 'utf8')).replace('"value":1.25', `"value":${value}`));
    await t.throwsAsync(
      analyze(),
      { message: /trials\.jsonl:1: not a trial record: metrics\.0\.value: .*\. Restore the file/ },
      value,
    );
  }
  const { log, analyze } = await scene(t, { eevdf: [1.25], scx_simple: [1, 2] });
  writeFileSync(log, readFileSync(log, 'utf8').replace('"value":1.25', '"value":NaN'));
  await t.throwsAsync(analyze(), { message: /trials\.jsonl:1: not valid JSON/ });
});

test('a corrupt line is named by its number, and nothing is written', async (t) => {
  const { folder, log, analyze } = await scene(t, { eevdf: [1, 2], scx_simple: [1, 2] });
  const lines = readFileSync(log, 'utf8').split('\n');
  lines[2] = lines[2]?.slice(0, 40) ?? '';
  writeFileSync(log, lines.join('\n'));
  await t.throwsAsync(analyze(), { message: /trials\.jsonl:3: not valid JSON/ });
  t.false(readdirSync(folder).some((name) => name.startsWith('table')));
});

test('a last line that a crash cut off is left out with a word', async (t) => {
  const { log, analyze } = await scene(t, { eevdf: [1], scx_simple: [2] });
  appendFileSync(log, '{"v":1,"run":');
  const { err, code } = await analyze();
  t.is(code, ExitCode.ok);
  t.regex(err[0] ?? '', /the last line is incomplete and was left out \(13 bytes\)/);
});

test('one block gives a ratio without interval or p, and the table says so', async (t) => {
  const { table } = await scene(t, { eevdf: [1], aa: [1.1], scx_simple: [0.5] });
  const { rows, notes } = await table();
  t.like(rows[2], { ratio: 0.5, n: 1 });
  t.is(rows[2]?.verdict, 'too few blocks');
  for (const name of ['low', 'high', 'p', 'p_differs', 'noise', 'detectable'])
    t.false(name in (rows[2] ?? {}), name);
  t.true(notes.includes('too few blocks: fewer than 5 pairs give no verdict'));
});

test('zero variance gives an interval without width, no t test, and says that nothing was seen of spread', async (t) => {
  const { table } = await scene(t, {
    eevdf: [1, 2, 4, 8, 16],
    scx_simple: [0.5, 1, 2, 4, 8],
    scx_flatcg: [1, 2, 4, 8, 16],
  });
  const { rows, notes } = await table();
  t.like(rows[1], { ratio: 0.5, low: 0.5, high: 0.5, p: 0.0625, verdict: 'undecided', outliers: 0 });
  t.like(rows[2], { ratio: 1, verdict: 'equivalent' });
  for (const name of ['p_t', 'p_t_holm', 'detectable']) t.false(name in (rows[1] ?? {}), name);
  t.true(notes.some((note) => note.startsWith('no spread: every block gave exactly the same ratio')));
});

test('values of zero or below give no ratio, with the name of the row', async (t) => {
  const { table } = await scene(t, { eevdf: [1, 2], scx_simple: [0, 2] });
  const { rows, notes } = await table();
  t.false('ratio' in (rows[1] ?? {}));
  t.true(notes.includes('hackbench default, scx_simple: no ratio, because a value is zero or negative'));
});

test('a spec without an A/A control is told so', async (t) => {
  const { table } = await scene(t, { eevdf: [1, 2, 3, 4, 5], scx_simple: [1.1, 2.1, 3.4, 4, 5] });
  const { notes } = await table();
  t.true(notes.some((note) => note.startsWith('no null control (A/A): nothing shows')));
});

const FIVE = [1, 2, 3, 4, 5];
const times = (factor: number, spread = 0.002) =>
  FIVE.map((value, at) => value * factor * (1 + spread * (((at * 2) % 5) - 2)));

test('a control that differs from itself is told of, and leaves its workload undecided', async (t) => {
  const { table } = await scene(t, { eevdf: FIVE, aa: times(1.3), scx_simple: times(0.5) });
  const { rows, notes } = await table();
  t.deepEqual(
    rows.map(({ verdict }) => verdict),
    [undefined, 'worse', 'undecided'],
  );
  t.true(
    notes.some((note) => note.includes('the baseline differs from itself (A/A)')),
    notes.join('\n'),
  );
});

test('a control that failed, is zero or is not there yet never makes a verdict easier', async (t) => {
  const verdictWith = async (aa: readonly SampleEnd[]) => {
    const { table } = await scene(t, { eevdf: FIVE, aa, scx_simple: times(0.5) });
    const { rows, notes } = await table();
    return [rows[2]?.verdict, notes.some((note) => note.includes('(A/A) has fewer than 5 pairs'))];
  };
  t.deepEqual(await verdictWith(times(1, 0.01)), ['better', false], 'a sound one');
  const failed = FIVE.map(() => REFUSED);
  t.deepEqual(await verdictWith([1, 2, 3, 4, undefined]), ['undecided', true], 'not there yet');
  t.deepEqual((await verdictWith(failed))[0], 'undecided', 'failed');
  t.deepEqual((await verdictWith([0, 0, 0, 0, 0]))[0], 'undecided', 'zeros');
  t.deepEqual((await verdictWith([1, 2, 3, 4, 0]))[0], 'undecided', 'one zero');
});

test('a control without spread gives way to the spread of the cells', async (t) => {
  const simpleWith = async (aa: readonly SampleEnd[]) => {
    const { table } = await scene(t, {
      eevdf: FIVE,
      aa,
      scx_simple: times(0.95, 0.02),
      scx_flatcg: times(1, 0.02),
    });
    return (await table()).rows[2] ?? {};
  };
  const [none, some] = [await simpleWith(FIVE), await simpleWith(times(1, 0.02))];
  t.is(none.verdict, 'undecided');
  t.true(Number(none.p_differs) >= Number(some.p_differs) - 1e-12);
});

test('a policy that fails in most blocks is neither better nor first, and a baseline that does gives nobody a rank', async (t) => {
  const ten = (good: number, value: number) =>
    Array.from({ length: 10 }, (_, at) =>
      at < good ? value * (1 + ((7 * at) % 10) / (1000 * value)) : REFUSED,
    );
  const policy = await (
    await scene(t, { eevdf: ten(10, 1), scx_simple: ten(2, 0.5), scx_flatcg: ten(9, 0.5) })
  ).table();
  t.deepEqual(
    policy.rows.map(({ verdict, rank }) => [verdict, rank]),
    [
      [undefined, 1],
      ['fails', undefined],
      ['better', undefined],
    ],
  );
  const baseline = await (await scene(t, { eevdf: ten(4, 1), scx_simple: ten(10, 0.5) })).table();
  t.deepEqual(
    baseline.rows.map(({ verdict, rank }) => [verdict, rank]),
    [
      [undefined, undefined],
      ['too few blocks', undefined],
    ],
  );
  t.true(
    baseline.notes.some((note) =>
      note.includes(
        '6 of 10 trials of the baseline did not complete, so nothing is decided and nothing has a rank',
      ),
    ),
    baseline.notes.join('\n'),
  );
  const more = await (await scene(t, { eevdf: ten(8, 1), scx_simple: ten(10, 0.5) })).table();
  t.is(more.rows[1]?.verdict, 'undecided', 'eight pairs of ten: what failed chose them');
});

test('figures that are far apart have a ratio where it is a number, and the word for it where it is none', async (t) => {
  const far = await (
    await scene(t, {
      eevdf: FIVE.map(() => 1e-200),
      scx_simple: FIVE.map(() => 1e200),
      scx_flatcg: times(1e-150),
    })
  ).table();
  t.false('ratio' in (far.rows[1] ?? {}));
  t.true(
    far.notes.includes('hackbench default, scx_simple: no ratio, because it is beyond what a number can be'),
  );
  t.true(Number(far.rows[2]?.ratio) > 1e49);
  const below = await (await scene(t, { eevdf: FIVE, scx_simple: [-1, 2, 3, 4, 5] })).table();
  t.true(
    below.notes.includes('hackbench default, scx_simple: no ratio, because a value is zero or negative'),
  );
  t.false('verdict' in (below.rows[1] ?? {}));
});

test('an outlier is told of and stays in every figure', async (t) => {
  const ends = { eevdf: [1, 1, 1, 1, 1, 1], scx_simple: [1.01, 0.99, 1.02, 0.98, 1, 9] };
  const { rows, notes } = await (await scene(t, ends)).table();
  t.like(rows[1], { n: 6, outliers: 1 });
  t.true(
    notes.some((note) =>
      note.includes('scx_simple: block 5 is far from the others (ratio 9.000); it counts like them'),
    ),
  );
  t.true(Number(rows[1]?.ratio) > 1.4);
});
