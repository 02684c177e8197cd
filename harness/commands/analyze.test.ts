// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readCsv } from '../../analysis/frame.ts';
import { TABLE_COLUMNS } from '../../analysis/tables/table-rows.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { TrialRecord } from '../core/trial.ts';
import { createRun } from '../store/run-folder.ts';
import { sampleCompleted, sampleDescription, sampleUnmeasured } from '../store/sample-records.ts';
import { type AnalyzeArgs, analyzeCommand } from './analyze.ts';
import type { CommandContext } from './context.ts';

const time = { name: 'time', unit: 's', direction: 'lower', primary: true } as const;
const p99 = { name: 'p99', unit: 'us', direction: 'lower', primary: false } as const;

function completed(trial: string, policy: string, block: number, value: number): TrialRecord {
  const metrics = [
    { ...time, value },
    { ...p99, value: value * 1000 },
  ];
  return sampleCompleted({ trial, policy, block, metrics });
}

const RECORDS = [
  completed('0001', 'eevdf', 0, 0.2),
  completed('0002', 'scx_simple', 0, 0.1),
  completed('0003', 'eevdf', 1, 0.4),
  completed('0004', 'scx_simple', 1, 0.2),
  sampleUnmeasured({ trial: '0005', block: 0 }),
  sampleUnmeasured({ trial: '0006', block: 1 }),
];

async function scene(t: ExecutionContext, planned: readonly TrialRecord[], recorded = planned) {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-analyze-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'results', 'runs', 'sample-1');
  const run = await createRun(folder, sampleDescription(planned, 'sample-1'));
  for (const record of recorded) await run.log.append(record);
  await run.close();
  const analyze = async (args: Partial<AnalyzeArgs> = {}) => {
    const out: string[] = [];
    const err: string[] = [];
    const context: CommandContext = {
      root,
      write: (line) => out.push(line),
      warn: (line) => err.push(line),
      catalog: () => Promise.reject(new Error('analyze needs no catalog')),
      signal: new AbortController().signal,
      isTTY: false,
      env: {},
    };
    const code = await analyzeCommand({ runs: ['sample-1'], ...args }, context);
    return { code, out, err };
  };
  return { folder, analyze };
}

test('analyze prints the table and leaves table and figure beside the records', async (t) => {
  const { folder, analyze } = await scene(t, RECORDS);
  const { code, out, err } = await analyze();
  t.is(code, ExitCode.ok);
  t.is(out[0], 'sample-1: 6 trials on mock, compared with eevdf');
  t.true(
    out.includes('  scx_simple  0.1500  0.500  no spread      too few blocks         -  2           0 %  -'),
    out.join('\n'),
  );
  t.true(
    out.includes(
      '  scx_qmap         -      -  -              fails                  -  0         100 %  2 refused [1]',
    ),
    out.join('\n'),
  );
  const files = [
    'table.csv',
    'table.md',
    'objectives.csv',
    'first-look.vl.json',
    'first-look.svg',
    'first-look.png',
  ];
  t.deepEqual(err, [`pmvx: wrote ${files.join(', ')} in ${folder}`]);
  for (const file of files) t.true(readFileSync(join(folder, file)).length > 100, file);
  t.true(
    readFileSync(join(folder, 'table.md'), 'utf8').startsWith(
      '## Ratio to eevdf at a glance\n\n| workload | scx\\_simple | scx\\_qmap |\n| :-- | --: | --: |\n' +
        '| hackbench: time (s, lower is better) | 0.500 too few blocks | refused |\n',
    ),
  );
});

test('the same records give the same bytes in every file', async (t) => {
  const one = await scene(t, RECORDS);
  const other = await scene(t, RECORDS, RECORDS.toReversed());
  await one.analyze();
  await other.analyze();
  for (const file of readdirSync(one.folder).filter((name) => /^(table|first-look)/.test(name))) {
    t.deepEqual(readFileSync(join(one.folder, file)), readFileSync(join(other.folder, file)), file);
  }
});

test('JSON and CSV carry the same rows, in full precision and with missing cells missing', async (t) => {
  const { folder, analyze } = await scene(t, RECORDS);
  const { out } = await analyze({ json: true });
  const json = JSON.parse(out.join('\n')) as { rows: Record<string, unknown>[]; planned: number };
  t.is(json.planned, 6);
  t.false('median' in (json.rows[2] ?? {}));
  const csv = (await analyze({ csv: true })).out.join('\n');
  t.is(`${csv}\n`, readFileSync(join(folder, 'table.csv'), 'utf8'));
  const text = ['run', 'workload', 'variant', 'point', 'engine', 'policy', 'role', 'metric', 'unit'];
  const words = [...text, 'direction', 'interval_method', 'verdict', 'reasons'];
  const numeric = TABLE_COLUMNS.filter((column) => !words.includes(column));
  const read = (await readCsv(join(folder, 'table.csv'), numeric)).rows();
  t.deepEqual(JSON.parse(JSON.stringify(read)), json.rows);
  t.true((await analyze({ markdown: true })).out.join('\n').includes('| scx\\_simple | 0.1500 |'));
  await t.throwsAsync(analyze({ json: true, csv: true }), {
    message: '--json and --csv exclude each other. Give one of them',
  });
});

test('another metric is shown on request, into files of its own', async (t) => {
  const { folder, analyze } = await scene(t, RECORDS);
  const { out } = await analyze({ metric: 'p99' });
  t.is(out[2], 'hackbench: p99 (us, lower is better)');
  t.true(readdirSync(folder).includes('table-p99.csv'));
  t.false(readdirSync(folder).includes('table.csv'));
  await t.throwsAsync(analyze({ metric: 'p98' }), {
    message: '--metric: no completed trial has a metric p98. Did you mean p99?',
  });
});

test('a run in progress is analysed as far as it is, a torn last line left out', async (t) => {
  const { folder, analyze } = await scene(t, RECORDS, RECORDS.slice(0, 3));
  const log = join(folder, 'trials.jsonl');
  appendFileSync(log, '{"v":1,');
  const { out, err } = await analyze();
  t.is(out[0], 'sample-1: 3 of 6 trials on mock, compared with eevdf');
  t.is(err[0], `pmvx: ${log}: the last line is incomplete and was left out (7 bytes)`);
  t.true(
    out.some((line) => /^ {2}scx_qmap .*2 not run yet$/.test(line)),
    out.join('\n'),
  );
});

test('a run of which nothing completed still has its table and figure', async (t) => {
  const { folder, analyze } = await scene(t, RECORDS.slice(4));
  const { out } = await analyze();
  t.is(out[2], 'hackbench: no metric was measured');
  t.true(readFileSync(join(folder, 'first-look.svg'), 'utf8').includes('no ratio: 2 refused'));
});

test('an unknown run is an error with the nearest one', async (t) => {
  const { analyze, folder } = await scene(t, RECORDS);
  const error = await t.throwsAsync(analyze({ runs: ['sampel-1'] }), { instanceOf: PmvxError });
  const runs = join(folder, '..');
  t.is(error.message, `${runs}: there is no run "sampel-1". Did you mean sample-1?`);
  t.is(error.code, ExitCode.usage);
  t.is((await analyze({ runs: [folder] })).code, ExitCode.ok);
  rmSync(folder, { recursive: true });
  await t.throwsAsync(analyze(), { message: `${runs}: there is no run "sample-1". pmvx run SPEC makes one` });
});

test('a corrupt line in the middle is an error that names it', async (t) => {
  const { analyze, folder } = await scene(t, RECORDS);
  const log = join(folder, 'trials.jsonl');
  const lines = readFileSync(log, 'utf8').split('\n');
  lines[1] = '{"v":1';
  writeFileSync(log, lines.join('\n'));
  const error = await t.throwsAsync(analyze(), { instanceOf: PmvxError });
  t.true(error.message.startsWith(`${log}:2: not valid JSON: "{\\"v\\":1". `), error.message);
});
