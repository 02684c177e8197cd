// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { compareMethods, METHODS } from '../../analysis/policy-map/evaluate/compare-methods.ts';
import { readClaims } from '../../paper-figs/claims/claims.ts';
import { judgeClaim } from '../../paper-figs/claims/judge-claim.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { loadCatalog } from '../core/load-catalog.ts';
import { readRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { type PaperArgs, paperCommand } from './paper.ts';
import { paperEvidence } from './paper-evidence.ts';

const ROOT = resolve(import.meta.dirname, '../..');

const CLAIMS = `experiments:
  first: { quick: first }
  second: { quick: second, full: larger }
claims:
  - id: C1
    claim: it gains
    section: "1"
    expect: a gain
    test: { kind: no-harm, experiment: first, classes: [cpu], margin: 0.02 }
    figures: [{ kind: heatmap, of: first }, { kind: timeline, of: second }]
  - id: C2
    claim: it gains elsewhere
    section: "2"
    expect: a gain
    test: { kind: no-harm, experiment: second, classes: [ipc], margin: 0.02 }
`;

function specOf(name: string, workload: string, count: number): string {
  return [
    `name: ${name}`,
    'image: quick',
    'policies: [eevdf, scx_simple]',
    `workloads: [{ use: ${workload} }]`,
    'machine: { engine: mock, vcpus: 2 }',
    `seeds: { count: ${count} }`,
    'controls: []',
    '',
  ].join('\n');
}

/** A project of its own with two claims, whose experiments run on the mock engine. */
function scene(t: ExecutionContext) {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-paper-test-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ['paper-figs', 'harness/experiments'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const shared of ['workloads', 'package.json']) symlinkSync(join(ROOT, shared), join(root, shared));
  writeFileSync(join(root, 'paper-figs/claims.yaml'), CLAIMS);
  const experiment = (file: string, text: string) =>
    writeFileSync(join(root, 'harness/experiments', `${file}.yaml`), text);
  experiment('first', specOf('first', 'spinners', 3));
  experiment('second', specOf('second', 'hackbench', 2));
  experiment('larger', specOf('larger', 'hackbench', 4));
  const paper = async (args: Partial<PaperArgs> = {}, stopAfter = Number.POSITIVE_INFINITY) => {
    const lines: string[] = [];
    const stop = new AbortController();
    const write = (line: string) => {
      lines.push(line);
      const ended = lines.filter((each) => /^\[ *\d+\/\d+\]/.test(each)).length;
      if (ended >= stopAfter) stop.abort(new PmvxError(ExitCode.interrupted, { what: 'stopped' }));
    };
    const context: CommandContext = {
      root,
      write,
      warn: write,
      catalog: () => loadCatalog(ROOT),
      signal: stop.signal,
      isTTY: false,
      env: {},
    };
    return { code: await paperCommand({ size: 'quick', jobs: 1, ...args }, context), lines };
  };
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const document = join(root, 'paper-figs/REPRODUCTION.md');
  return { root, paper, read, document, experiment };
}

test('every experiment is run, every figure drawn, and the document names each verdict', async (t) => {
  const { root, paper, read } = scene(t);
  const { code, lines } = await paper();
  t.is(code, ExitCode.ok, lines.join('\n'));
  const text = read('paper-figs/REPRODUCTION.md');
  t.true(text.includes('| [C1](#c1) | not reproduced | 0 of 1 workloads'), text);
  t.true(text.includes('| [C2](#c2) | not reproduced | 0 of 1 workloads'), text);
  t.true(text.includes('| first | `harness/experiments/first.yaml` | first | 6 | 6 | mock | none |'), text);
  t.deepEqual(
    readdirSync(join(root, 'paper-figs/rendered')).sort(),
    ['first-heatmap', 'second-timeline'].flatMap((name) =>
      ['pdf', 'png', 'svg', 'vl.json'].map((ending) => `${name}.${ending}`),
    ),
  );
  const { verdicts } = JSON.parse(read('paper-figs/verdicts.json'));
  t.deepEqual(
    verdicts.map(({ id }: { id: string }) => id),
    ['C1', 'C2'],
  );
});

test('a paper that was stopped goes on where it was, repeats nothing, and ends as if it had not been', async (t) => {
  const whole = scene(t);
  await whole.paper();
  const { paper, read, document } = scene(t);
  const stopped = await paper({}, 4);
  t.is(stopped.code, ExitCode.interrupted);
  t.true(stopped.lines.some((line) => line.includes('go on with: pmvx paper --quick')));
  t.false(existsSync(document), 'nothing is judged before all has run');
  const before = read('results/paper/quick/first/trials.jsonl');
  t.true(before.length > 0);
  const { code } = await paper();
  t.is(code, ExitCode.ok);
  t.true(read('results/paper/quick/first/trials.jsonl').startsWith(before), 'what was recorded is kept');
  for (const name of ['first', 'second']) {
    const csv = `results/paper/quick/${name}/trials.csv`;
    t.is(read(csv), whole.read(csv));
  }
  t.is(read('paper-figs/REPRODUCTION.md'), whole.read('paper-figs/REPRODUCTION.md'));
});

test('--judge runs nothing, and judges what is there; with nothing there it says so', async (t) => {
  const { root, paper, read } = scene(t);
  await t.throwsAsync(paper({ judge: true }), { message: /there is no run of first, second to judge/ });
  await paper();
  const document = read('paper-figs/REPRODUCTION.md');
  rmSync(join(root, 'results/paper/quick/second'), { recursive: true });
  const { lines } = await paper({ judge: true });
  t.false(existsSync(join(root, 'results/paper/quick/second')));
  t.true(lines.includes('C2  not judged      no completed trial of second: run the experiment first'));
  t.not(read('paper-figs/REPRODUCTION.md'), document);
});

test('runs of another folder are judged into that folder, and the document of the project stays as it is', async (t) => {
  const { root, paper, read, document } = scene(t);
  const out = join(root, 'elsewhere');
  await paper({ out });
  t.false(existsSync(document));
  const text = read('elsewhere/REPRODUCTION.md');
  t.true(text.includes('](rendered/first-heatmap.png)'), text);
  t.true(existsSync(join(out, 'rendered/first-heatmap.png')));
  t.true(existsSync(join(out, 'verdicts.json')));
  rmSync(join(out, 'REPRODUCTION.md'));
  writeFileSync(document, 'kept');
  await paper({ out, judge: true });
  t.is(read('elsewhere/REPRODUCTION.md'), text);
  t.is(read('paper-figs/REPRODUCTION.md'), 'kept');
  // The document of the project is of the runs that are committed with it.
  const reference = join(root, 'results/reference/paper-quick');
  mkdirSync(join(root, 'results/reference'), { recursive: true });
  renameSync(out, reference);
  await paper({ out: reference, judge: true });
  t.not(read('paper-figs/REPRODUCTION.md'), 'kept');
});

test('a fault in the last spec shows before the first experiment runs', async (t) => {
  const { root, paper, experiment } = scene(t);
  experiment('second', 'name: second\n');
  await t.throwsAsync(paper(), { instanceOf: PmvxError });
  t.false(existsSync(join(root, 'results')));
});

test('--full runs the larger specs into a folder of their own', async (t) => {
  const { paper, read } = scene(t);
  await paper({ size: 'full' });
  t.is(JSON.parse(read('results/paper/full/second/spec.json')).name, 'larger');
});

test('vectors and a map are judged from runs: those of the reference are enough for both', async (t) => {
  const claims = await readClaims(ROOT);
  const reference = (name: string) => readRun(join(ROOT, 'results/reference', name));
  const [matrix, some, rest, two] = await Promise.all(
    ['matrix', 'vectors-20261125/vectors', 'vectors-20261125/vrest', 'vectors-20261125/v2'].map(reference),
  );
  if (!matrix || !some || !rest || !two) return t.fail();
  const more = rest.records.map((record) => ({ ...record, trial: `rest-${record.trial}` }));
  const looks = { ...some, records: [...some.records, ...more] };
  const evidence = await paperEvidence(
    claims,
    new Map([
      ['selection', matrix],
      ['vectors', looks],
      ['vectors-2', two],
    ]),
    {
      root: ROOT,
      catalog: () => loadCatalog(ROOT),
      write: t.log,
      warn: (line: string) => t.fail(line),
      signal: new AbortController().signal,
      isTTY: false,
      env: {},
    },
  );
  const judged = (id: string) =>
    judgeClaim((claims.claims.find((claim) => claim.id === id) as (typeof claims.claims)[0]).test, evidence);
  // As `pmvx map evaluate` says it of a map that learnt the same runs.
  const [first] = compareMethods(evidence.situations.get('selection') ?? [], METHODS.slice(0, 1));
  const { verdict, numbers } = judged('C3');
  t.not(verdict, 'not judged');
  t.is(numbers.workloads, 27);
  t.is(numbers.policies, 19);
  t.is(numbers.regret, first?.verdict.regret);
  t.is(numbers.over_static, first?.overStatic.ratio);
  const vectors = judged('C2');
  t.is(vectors.numbers.vectors, 45);
  t.is(vectors.verdict, 'partly');
});
