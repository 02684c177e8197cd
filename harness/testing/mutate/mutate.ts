// SPDX-License-Identifier: Apache-2.0
// npm run mutate -- [options]: changes sources in small ways, one at a time, and says which changes no test notices.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { drawMutants } from './draw.ts';
import { readEquivalents, whyEquivalent } from './equivalent.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import { reached, readGraph, testsOf } from './reach.ts';
import { chanceOfFewer, countOf, csvOf, mutantLine, type Tried, tableOf } from './report.ts';
import { Scratch } from './scratch.ts';
import { type Baselines, Tries } from './try.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

const HELP = `npm run mutate -- [options]
  --modules A,B   folders or files whose sources are changed (default: those that decide what a table says)
  --changed       the sources that differ from the branch main instead
  --count N       mutants to try (default 200)
  --per-file N    mutants of a file before the next one gives some (default 2)
  --seed N        what the draw follows from (default 1)
  --near N        ask the N nearest test files of each source only (default: all but those with virtual machines)
  --jobs N        tries at a time (default 1)
  --least PERCENT fail when tests surely notice less (binomial, 1 in 200) of the changes that they could; below 100
  --seconds N     begin no try after so many seconds, and end those under way after half as many more; what was tried counts
  --out PATH      write PATH.csv and PATH.md, too
  --list          say the mutants that were drawn, and try none`;

/** So seldom a draw fails of a project that is at the bound. */
const SURE = 0.005;

const MODULES = [
  'analysis/stats',
  'analysis/tables',
  'analysis/compare',
  'harness/run',
  'harness/store',
  'harness/plan',
  'harness/spec',
  'harness/scale/merge',
  'paper-figs/claims',
  'analysis/policy-map',
];

/** Start machines or clusters, or read the sources as texts. */
const NOT_ASKED =
  /\.vm\.test\.ts$|^harness\/(?:scale\/slurm\/cluster|testing)\/|^harness\/(?:imports|licences)\.test\.ts$/;

const { values } = parseArgs({
  options: {
    modules: { type: 'string', default: MODULES.join(',') },
    changed: { type: 'boolean', default: false },
    count: { type: 'string', default: '200' },
    'per-file': { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    near: { type: 'string', default: '1000' },
    jobs: { type: 'string', default: '1' },
    least: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '1e6' },
    out: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function number(
  name: 'count' | 'per-file' | 'seed' | 'near' | 'jobs' | 'least' | 'seconds',
  least: number,
): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value >= least) return value;
  console.error(`--${name} must be a number from ${least}, got ${values[name]}\n\n${HELP}`);
  process.exit(2);
}

async function git(...args: string[]): Promise<string[]> {
  const { stdout } = await execa('git', args, { cwd: ROOT });
  return stdout.split('\n').filter((line) => line !== '');
}

/** Each source as it was when it was first looked at, whatever is edited meanwhile. */
const texts = new Map<string, string>();
const read = (file: string) => {
  const text = texts.get(file) ?? readFileSync(join(ROOT, file), 'utf8');
  texts.set(file, text);
  return text;
};

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const [count, perFile, seed] = [number('count', 1), number('per-file', 1), number('seed', 0)];
const [near, jobs, least, seconds] = [
  number('near', 1),
  number('jobs', 1),
  number('least', 0),
  number('seconds', 1),
];

const all = await git('ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate');
const gone = new Set(await git('ls-files', '--deleted'));
const files = all.filter((file) => !gone.has(file));
const sources = files.filter((file) => file.endsWith('.ts'));
const graph = readGraph(ROOT, sources);
/** What users run: no scene of a test. */
const shipped = reached(graph, 'harness/cli.ts');
const isShipped = (file: string) => shipped.has(file) && !file.endsWith('.test.ts');

const modules = values.changed
  ? (await git('diff', '--name-only', '--diff-filter=d', 'main')).filter((file) => sources.includes(file))
  : values.modules.split(',').map((name) => name.replace(/\/$/, ''));
const within = (module: string) =>
  sources.filter((file) => isShipped(file) && (file === module || file.startsWith(`${module}/`)));
if (!values.changed) {
  const [strange] = modules.filter((module) => within(module).length === 0);
  if (strange !== undefined) {
    console.error(`--modules: no source is in ${strange}`);
    process.exit(2);
  }
}
const drawn = drawMutants(
  modules.map((module) => within(module).map((file) => mutantsOf(file, read(file)))),
  { count, perFile, seed },
);
const equivalents = readEquivalents();
const moduleOf = ({ file }: Mutant) =>
  modules.find((name) => file === name || file.startsWith(`${name}/`)) ?? '';

function asTried(mutant: Mutant, fate: Tried['fate']): Tried {
  const source = read(mutant.file);
  const line = (source.split('\n')[mutant.line - 1] ?? '').trim();
  const from = source.slice(mutant.start, mutant.end);
  const equivalent = whyEquivalent(equivalents, { file: mutant.file, line, from, to: mutant.with });
  return { mutant, fate, module: moduleOf(mutant), line, from, equivalent };
}

if (values.list) {
  for (const mutant of drawn) console.log(mutantLine(asTried(mutant, { kind: 'survived', by: 'none' })));
  process.exit(0);
}

const tests = sources.filter((file) => file.endsWith('.test.ts') && !NOT_ASKED.test(file));
const askedOf = testsOf(graph, tests);
const tried: Tried[] = [];
const queue = drawn.map((mutant, at) => ({ mutant, at }));
const done = new Map<number, Tried>();
const baselines: Baselines = new Map();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
const over = AbortSignal.any([stop.signal, AbortSignal.timeout(Math.min(1500 * seconds, 2 ** 31 - 1))]);

async function work(): Promise<void> {
  await using scratch = await Scratch.make(ROOT, files, over);
  const tries = new Tries(scratch, read, askedOf, near, baselines);
  for (;;) {
    // From the start of the program: what is read before counts, too.
    if (performance.now() / 1000 > seconds || over.aborted) return;
    const next = queue.shift();
    if (next === undefined) return;
    const each = asTried(next.mutant, await tries.fateOf(next.mutant));
    if (over.aborted) return;
    done.set(next.at, each);
    if (each.fate.kind !== 'killed' || values.out !== undefined) console.log(mutantLine(each));
  }
}

await Promise.all(Array.from({ length: jobs }, work));
tried.push(...[...done].sort(([a], [b]) => a - b).map(([, each]) => each));
const { killed, survived, unreached } = countOf(tried);
const table = tableOf(tried);
const counts = `${tried.length} of ${drawn.length} drawn were tried, seed ${seed}.`;
console.log(`\n${table}\n\n${counts}`);
if (values.out !== undefined) {
  const survivors = tried.filter(({ fate }) => /^(?:survived|no test)/.test(fate.kind));
  const left = survivors.map(
    (each) => `- ${mutantLine(each)}${each.equivalent ? ` Equivalent: ${each.equivalent}` : ''}`,
  );
  const command = `npm run mutate -- ${process.argv.slice(2).join(' ')}`;
  const head = `## Changes that tests notice\n\nSmall changes of sources, one at a time, drawn by a seed; the tests that reach the source are run with each. Made by\n\`${command}\`.`;
  writeFileSync(
    `${values.out}.md`,
    `${[head, counts, table, 'Not noticed:', left.join('\n') || 'none'].join('\n\n')}\n`,
  );
  writeFileSync(`${values.out}.csv`, csvOf(tried));
}
const noticeable = killed + survived + unreached;
if (chanceOfFewer(killed, noticeable, least / 100) < SURE) {
  console.error(
    `tests notice ${killed} of ${noticeable} changes that they could: surely less than ${least} %`,
  );
  process.exitCode = 1;
}
if (stop.signal.aborted) process.exitCode = 130;
