// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { TrialRecord } from '../core/trial.ts';
import { createRun, type RunDescription } from '../store/run-folder.ts';
import { sampleCompleted, sampleDescription, sampleUnmeasured } from '../store/sample-records.ts';
import type { CommandContext } from './context.ts';
import { type FiguresArgs, figuresCommand } from './figures.ts';

const time = { name: 'time', unit: 's', direction: 'lower', primary: true } as const;
const RECORDS = ['eevdf', 'scx_simple'].flatMap((policy, p) =>
  [0, 1].map((block) =>
    sampleCompleted({
      trial: `000${p * 2 + block}`,
      policy,
      block,
      metrics: [{ ...time, value: 1 + block + p }],
    }),
  ),
);

/** Further runs of the same records, each with what is different about it. */
type Others = Readonly<Record<string, (run: RunDescription) => RunDescription>>;

async function scene(t: ExecutionContext, records: readonly TrialRecord[], others: Others = {}) {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-figures-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'results', 'runs', 'sample-1');
  let started = 0;
  for (const [id, alter] of Object.entries({ 'sample-1': (same) => same, ...others } satisfies Others)) {
    const run = await createRun(
      join(root, 'results', 'runs', id),
      alter(sampleDescription(records, id)) as RunDescription,
    );
    for (const record of records) {
      const startedAt = new Date(Date.UTC(2026, 0, 2) + 1000 * started++).toISOString();
      await run.log.append({ ...record, run: id, host: { ...record.host, startedAt } });
    }
    await run.close();
  }
  const figures = async (args: Partial<FiguresArgs> = {}) => {
    const out: string[] = [];
    const context: CommandContext = {
      root,
      write: (line) => out.push(line),
      warn: () => undefined,
      catalog: () => Promise.reject(new Error('figures needs no catalog')),
      signal: new AbortController().signal,
      isTTY: false,
      env: {},
    };
    const code = await figuresCommand({ runs: ['sample-1'], ...args }, context);
    return { code, out };
  };
  return { root, folder: join(folder, 'figures'), figures };
}

test('every figure is written in four forms, or says why it is not drawn', async (t) => {
  const { folder, figures } = await scene(t, RECORDS);
  const { code, out } = await figures();
  t.is(code, ExitCode.ok);
  t.deepEqual(readdirSync(folder).sort(), [
    ...['forest.pdf', 'forest.png', 'forest.svg', 'forest.vl.json'],
    ...['heatmap.pdf', 'heatmap.png', 'heatmap.svg', 'heatmap.vl.json'],
    ...['timeline.pdf', 'timeline.png', 'timeline.svg', 'timeline.vl.json'],
  ]);
  t.true(
    out.includes('ecdf: not drawn: no completed trial told the distribution of a metric'),
    out.join('\n'),
  );
});

test('drawn again, every file has the same bytes, and what is no longer drawn is gone', async (t) => {
  const { folder, figures } = await scene(t, RECORDS);
  await figures({ only: 'forest,timeline' });
  const files = readdirSync(folder);
  const before = files.map((file) => readFileSync(join(folder, file)));
  writeFileSync(join(folder, 'forest-2.svg'), 'of another time');
  writeFileSync(join(folder, 'mine.svg'), 'kept');
  await figures({ only: 'forest,timeline' });
  t.deepEqual(
    files.map((file) => readFileSync(join(folder, file))),
    before,
  );
  t.deepEqual(readdirSync(folder).sort(), [...files, 'mine.svg'].sort());
});

test('a run of failures only has its cells and its timeline', async (t) => {
  const { figures } = await scene(t, [
    sampleUnmeasured(),
    sampleUnmeasured({ trial: '0002', policy: 'eevdf' }),
  ]);
  const { out } = await figures({ only: 'heatmap,timeline' });
  t.deepEqual(
    out.map((line) => line.split(':')[0]),
    ['heatmap', 'timeline'],
  );
  t.true(out.every((line) => line.includes('.pdf')));
});

test('unknown runs, figures and metrics are errors with the next step', async (t) => {
  const { figures } = await scene(t, RECORDS);
  const faults = [
    [{ runs: ['sample-2'] }, /there is no run "sample-2".*sample-1/],
    [{ only: 'forrest' }, /--only: there is no figure "forrest".*forest/],
    [{ metric: 'tme' }, /no completed trial has a metric tme.*time/],
    [{ runs: ['sample-1', 'elsewhere'] }, /there is no run "elsewhere"/],
    [{ runs: ['sample-1', 'sample-1'], out: '/nowhere', only: 'forest' }, /the run is given twice/],
  ] as const;
  for (const [args, message] of faults) {
    const error = await t.throwsAsync(figures(args), { instanceOf: PmvxError, message });
    t.is((error as PmvxError).code, ExitCode.usage);
  }
});

test('several runs are drawn together, into a folder that is named', async (t) => {
  const { root, figures } = await scene(t, RECORDS, { 'sample-2': (run) => run });
  const runs = ['sample-1', 'sample-2'];
  await t.throwsAsync(figures({ runs }), { message: /several runs have no folder of their own.*--out DIR/ });
  const folder = join(root, 'both');
  const { out } = await figures({ runs, out: folder });
  t.true(out.includes('timeline: not drawn: runs of different times have a timeline each'), out.join('\n'));
  const spec = readFileSync(join(folder, 'forest.vl.json'), 'utf8');
  // Two blocks of each, on one host.
  t.true(spec.includes('n = 4'), spec);
  t.true(spec.includes('sample-1 + sample-2'));
});

test('runs that share a record are no figure at all', async (t) => {
  const { root, figures } = await scene(t, RECORDS);
  const copy = join(root, 'results', 'runs', 'copy');
  const other = await createRun(copy, sampleDescription(RECORDS, 'copy'));
  const log = readFileSync(join(root, 'results/runs/sample-1/trials.jsonl'), 'utf8');
  for (const line of log.trim().split('\n')) await other.log.append(JSON.parse(line));
  await other.close();
  await t.throwsAsync(figures({ runs: ['sample-1', 'copy'], out: join(root, 'both') }), {
    message: /^sample-1\/0000 and copy\/0000: .* is one record in two runs/,
  });
  t.false(existsSync(join(root, 'both')));
});

test('of runs on different machines the scaling curve alone is drawn, and the reason is given', async (t) => {
  const larger = (run: RunDescription): RunDescription => ({
    ...run,
    spec: { ...run.spec, machine: { ...run.spec.machine, vcpus: 8 } },
  });
  const { root, figures } = await scene(t, RECORDS, { large: larger });
  const args = { runs: ['sample-1', 'large'], out: join(root, 'both') };
  const { out } = await figures(args);
  t.true(
    out.some((line) => /^forest: not drawn: the runs are of different machines/.test(line)),
    out.join('\n'),
  );
  t.true(
    out.some((line) => line.startsWith('scaling: scaling.vl.json')),
    out.join('\n'),
  );
  await t.throwsAsync(figures({ ...args, only: 'forest' }), { message: /different machines/ });
  const mixed = await figures({ ...args, only: 'forest', mixed: true });
  t.true(mixed.out[0]?.startsWith('forest: '));
});
