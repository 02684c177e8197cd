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

test('a run with only failures has a failure rate of 1 and no figure, rank or verdict', async (t) => {
  const { analyze, simple } = await scene(t, { eevdf: [REFUSED, REFUSED], scx_simple: [REFUSED, REFUSED] });
  t.is((await analyze()).code, ExitCode.ok);
  const row = await simple();
  t.is(row.failure_rate, 1);
  for (const name of ['median', 'ratio', 'low', 'p', 'verdict', 'rank', 'metric']) t.false(name in row, name);
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

test('one block gives a ratio without interval, p, or verdict, and the table says so', async (t) => {
  const { table } = await scene(t, { eevdf: [1], aa: [1.1], scx_simple: [0.5] });
  const { rows, notes } = await table();
  t.like(rows[2], { ratio: 0.5, n: 1 });
  for (const name of ['low', 'high', 'p', 'verdict', 'floor', 'detectable'])
    t.false(name in (rows[2] ?? {}), name);
  t.true(notes.includes('one pair of blocks gives no interval, and so no verdict'));
});

test('zero variance gives an interval without width, no t test, and says that nothing was seen of spread', async (t) => {
  const { table } = await scene(t, { eevdf: [1, 2, 4], scx_simple: [0.5, 1, 2] });
  const { rows, notes } = await table();
  t.like(rows[1], { ratio: 0.5, low: 0.5, high: 0.5, p: 0.25, verdict: 'better', outliers: 0 });
  for (const name of ['p_t', 'p_t_holm', 'detectable']) t.false(name in (rows[1] ?? {}), name);
  t.true(notes.includes('no spread: every block gave exactly the same ratio, so the interval has width 0'));
});

test('values of zero or below give no ratio, with the name of the row', async (t) => {
  const { table } = await scene(t, { eevdf: [1, 2], scx_simple: [0, 2] });
  const { rows, notes } = await table();
  t.false('ratio' in (rows[1] ?? {}));
  t.true(notes.includes('hackbench default, scx_simple: no ratio, because a value is zero or negative'));
});

test('a spec without an A/A control is told so, and the margin stands in for the floor', async (t) => {
  const { table } = await scene(t, { eevdf: [1, 2, 3], scx_simple: [1.1, 2.1, 3.4] });
  const { notes } = await table();
  t.true(
    notes.some((note) => note.startsWith('no A/A control with an interval: the noise floor is unknown')),
  );
});

test('a control that differs from itself is told of', async (t) => {
  const { table } = await scene(t, {
    eevdf: [1, 2, 3],
    aa: [1.101, 2.2, 3.301],
    scx_simple: [1.05, 2.1, 3.15],
  });
  const { rows, notes } = await table();
  t.true(
    notes.some((note) =>
      note.includes('eevdf (A/A): the interval leaves out 1 although nothing differs but the seed'),
    ),
  );
  t.is(rows[2]?.verdict, 'undecided', '5 % without spread, below a floor of 10 %');
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
