// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { WIDE_COLUMNS } from '../../analysis/tables/wide-trials.ts';
import { ExitCode } from '../core/errors.ts';
import type { TrialRecord } from '../core/trial.ts';
import { createRun } from '../store/run-folder.ts';
import { sampleCompleted, sampleDescription, sampleUnmeasured } from '../store/sample-records.ts';
import type { CommandContext } from './context.ts';
import { type CsvArgs, csvCommand } from './csv.ts';

const metric = (name: string, unit: string, value: number, primary = false) =>
  ({ name, unit, direction: 'lower', primary, value }) as const;
const usage = {
  elapsedNs: 2e9,
  userNs: 1.5e9,
  systemNs: 0.25e9,
  voluntarySwitches: 12,
  involuntarySwitches: 3,
};
const RECORDS: TrialRecord[] = [
  sampleCompleted({
    ...{ run: 'r', trial: '0001', variant: 'a="1",b=2', usage },
    metrics: [metric('latency', 'us/op', 0.1 + 0.2, true), metric('rate', 'ops/s', 1e21)],
  }),
  sampleUnmeasured({ run: 'r', trial: '0002', block: 1, reason: 'said "no", twice' }),
  sampleCompleted({ run: 'r', trial: '0003', block: 2, metrics: [metric('latency', 'us/op', 5e-324, true)] }),
];

async function scene(t: ExecutionContext) {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-csv-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const folder = join(root, 'results', 'runs', 'r');
  const run = await createRun(folder, sampleDescription(RECORDS, 'r'));
  for (const record of RECORDS.toReversed()) await run.log.append(record);
  await run.close();
  const csv = async (args: Partial<CsvArgs> = {}) => {
    const out: string[] = [];
    const context = {
      root,
      write: (line: string) => out.push(line),
      warn: () => {},
    } as unknown as CommandContext;
    t.is(await csvCommand({ run: 'r', ...args }, context), ExitCode.ok);
    return `${out.join('\n')}\n`;
  };
  return { root, csv };
}

test('the wide form has a row a trial and a column for each metric with its unit', async (t) => {
  const { csv } = await scene(t);
  const lines = (await csv({ wide: true })).trimEnd().split('\n');
  const metrics = ['metric_energy_modelled_J', 'metric_latency_us_op', 'metric_rate_ops_s'];
  t.deepEqual(lines[0]?.split(','), [...WIDE_COLUMNS, ...metrics]);
  t.is(lines.length, 4);
  t.regex(
    lines[1] ?? '',
    /^r,0001,0,7,hackbench,"a=""1"",b=2",.*,2,1.5,0.25,12,3,[\d.]+,0.30000000000000004,1e\+21$/,
  );
  t.true(lines[2]?.endsWith(',refused,"said ""no"", twice",,3.5,,,,,,,,'), lines[2]);
});

test('columns can be chosen; an unknown one is an error with the nearest', async (t) => {
  const { csv, root } = await scene(t);
  t.is(
    await csv({ columns: 'trial,value' }),
    'trial,value\n0001,10.06292\n0001,0.30000000000000004\n0001,1e+21\n0002,\n0003,5e-324\n',
  );
  await t.throwsAsync(csv({ columns: 'trail' }), {
    message: '--columns: there is no column "trail". Did you mean trial?',
  });
  await csv({ out: join(root, 'long.csv') });
  t.is(readFileSync(join(root, 'long.csv'), 'utf8'), await csv());
});

test('R reads both forms: text as text, numbers bit by bit, what is missing as NA', async (t) => {
  const { csv, root } = await scene(t);
  writeFileSync(join(root, 'long.csv'), await csv());
  writeFileSync(join(root, 'wide.csv'), await csv({ wide: true }));
  const script = `
    long <- read.csv("long.csv", colClasses = c(trial = "character"))
    wide <- read.csv("wide.csv", colClasses = c(trial = "character"))
    cat(nrow(long), nrow(wide), wide$trial, sum(is.na(long$value)), class(wide$metric_latency_us_op), "\\n")
    cat(sprintf("%.17g", wide$metric_latency_us_op[1]), wide$variant[1], wide$reason[2], is.na(wide$metric_rate_ops_s[3]), "\\n")`;
  const { stdout } = await execa('Rscript', ['-e', script], { cwd: root });
  t.deepEqual(
    stdout.split('\n').map((line) => line.trim()),
    ['5 3 0001 0002 0003 1 numeric', '0.30000000000000004 a="1",b=2 said "no", twice TRUE'],
  );
});

test('pandas reads both forms likewise', async (t) => {
  const { csv, root } = await scene(t);
  writeFileSync(join(root, 'long.csv'), await csv());
  writeFileSync(join(root, 'wide.csv'), await csv({ wide: true }));
  const script = `
import pandas
long = pandas.read_csv("long.csv", dtype={"trial": str}, float_precision="round_trip")
wide = pandas.read_csv("wide.csv", dtype={"trial": str}, float_precision="round_trip")
print(len(long), len(wide), *wide.trial, long.value.isna().sum(), wide.metric_latency_us_op.dtype)
print(repr(float(wide.metric_latency_us_op[0])), wide.variant[0], wide.reason[1], wide.metric_rate_ops_s.isna()[2])`;
  const { stdout } = await execa('/usr/bin/python3', ['-c', script], { cwd: root });
  t.deepEqual(stdout.split('\n'), [
    '5 3 0001 0002 0003 1 float64',
    '0.30000000000000004 a="1",b=2 said "no", twice True',
  ]);
});

test('results/README.md documents every column of the wide form', (t) => {
  const readme = readFileSync(resolve(import.meta.dirname, '../../results/README.md'), 'utf8');
  const section = readme.split('## `csv` and `csv --wide`')[1]?.split('\n## ')[0] ?? '';
  const documented = new Set([...section.matchAll(/`([^`]+)`/g)].map((match) => match[1]));
  t.deepEqual(
    WIDE_COLUMNS.filter((column) => !documented.has(column)),
    [],
  );
});
