// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const CLI = join(import.meta.dirname, 'cli.ts');

const SPEC = `
name: cli-test
image: quick
policies: [eevdf, scx_simple]
workloads:
  - use: hackbench
  - use: perf-sched-pipe
machine: { engine: mock, vcpus: 4, memory: 1GiB }
seeds: { base: 7, count: 4 }
controls: []
`;
const TRIALS = 16;

const scratch = await mkdtemp(join(tmpdir(), 'pmvx-cli-'));
const spec = join(scratch, 'spec.yaml');
await writeFile(spec, SPEC);
test.after.always(() => rm(scratch, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A running pmvx whose output can be waited for. */
class Pmvx {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  out = '';
  err = '';

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [CLI, ...args], {
      cwd: scratch,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = once(this.child, 'close');
    this.child.stdout?.on('data', (chunk) => (this.out += chunk));
    this.child.stderr?.on('data', (chunk) => (this.err += chunk));
  }

  /** Waits until stdout matches; fails when the process ends first. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.out)) {
      const more = once(this.child.stdout as NodeJS.ReadableStream, 'data');
      const over = this.#ended.then(() => 'over');
      if ((await Promise.race([more, over])) === 'over' && !pattern.test(this.out)) {
        throw new Error(`ended before ${pattern}: ${this.out}${this.err}`);
      }
    }
  }

  async end(): Promise<Ended> {
    await this.#ended;
    return { code: this.child.exitCode, out: this.out, err: this.err };
  }
}

function pmvx(...args: string[]): Promise<Ended> {
  return new Pmvx(args).end();
}

const SLOW = { PMVX_MOCK_TRIAL_MS: '50' };

function csvOf(folder: string): Promise<string> {
  return readFile(join(folder, 'trials.csv'), 'utf8');
}

/** How many trials a CSV has rows of. */
function trialsIn(csv: string): number {
  const ids = csv
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',')[1]);
  return new Set(ids).size;
}

// The id of a run is the name of its folder, and a column of its CSV.
async function newFolder(name = 'run'): Promise<string> {
  return join(await mkdtemp(join(scratch, 'out-')), name);
}

/** One run from start to end, which several tests look at. */
const undisturbed = (async () => {
  const folder = await newFolder();
  const run = new Pmvx(['run', spec, '--out', folder, '--jobs', '1'], { FORCE_COLOR: '3' });
  return { folder, ended: await run.end() };
})();

test('help names every command, with examples and exit codes', async (t) => {
  const { code, out, err } = await pmvx('--help');
  t.is(code, 0);
  t.is(err, '');
  const commands = [
    'quickstart',
    'validate',
    'plan',
    'schema',
    'run',
    'analyze',
    'merge',
    'slurm',
    'figures',
    'report',
    'list',
    'doctor',
    'image',
  ];
  for (const command of commands) t.regex(out, new RegExp(`^  ${command}\\b`, 'm'));
  t.regex(out, /Examples:\n {2}pmvx quickstart/);
  t.regex(out, /130 stopped, can be resumed/);
});

test('a wrong command line is one clear line on stderr and exit code 2', async (t) => {
  const cases: [string[], string][] = [
    [['frob'], "pmvx: unknown command 'frob'. Try `pmvx --help`.\n"],
    [['rum', 'x'], "pmvx: unknown command 'rum' (Did you mean run?) Try `pmvx --help`.\n"],
    [['run', 'x', '--jop', '1'], "pmvx: unknown option '--jop' (Did you mean --jobs?) Try `pmvx --help`.\n"],
    [['run'], "pmvx: missing required argument 'spec'. Try `pmvx --help`.\n"],
    [
      ['run', 'x', '--jobs', '0'],
      "pmvx: option '--jobs <n>' argument '0' is invalid. Give a whole number from 1 to 1024. Try `pmvx --help`.\n",
    ],
    [
      ['run', 'x', '--engine', 'bare'],
      "pmvx: option '--engine <name>' argument 'bare' is invalid. Allowed choices are exact, tcg, kvm, native, mock. Try `pmvx --help`.\n",
    ],
  ];
  for (const [args, message] of cases) {
    t.deepEqual(await pmvx(...args), { code: 2, out: '', err: message });
  }
});

test('a spec that is missing or faulty is exit code 2 and runs nothing', async (t) => {
  const missing = await pmvx('run', 'none.yaml');
  t.is(missing.code, 2);
  t.regex(missing.err, /^pmvx: none\.yaml: no such file\./);
  const faulty = join(scratch, 'faulty.yaml');
  await writeFile(faulty, SPEC.replace('scx_simple', 'scx_simpel'));
  const folder = await newFolder();
  const { code, out, err } = await pmvx('run', faulty, '--out', folder);
  t.is(code, 2);
  t.is(out, '');
  t.regex(err, /^pmvx: .*faulty\.yaml:4:19: .*scx_simpel/);
  t.false(existsSync(folder));
});

test('piped output has no escape codes, even when colours are forced', async (t) => {
  const { code, out, err } = (await undisturbed).ended;
  t.is(code, 0, err);
  t.false((out + err).includes('\x1b'));
  t.regex(out, /^\[16\/16\] {2}block 3 /m);
});

test('a mock run says that it measured nothing', async (t) => {
  const { out } = (await undisturbed).ended;
  t.regex(out, /^cli-test: 16 trials, 1 at once, engine mock: not a measurement, into /m);
});

test('a run ends with its table, and leaves table and figure beside the records', async (t) => {
  const { folder, ended } = await undisturbed;
  t.regex(ended.out, /^run: 16 trials on mock, compared with eevdf$/m);
  t.regex(ended.out, /^ {2}scx_simple +\d/m);
  t.regex(ended.out, /engine mock: made-up figures/);
  for (const file of ['trials.jsonl', 'provenance.json', 'table.csv', 'first-look.svg', 'first-look.png']) {
    t.true(existsSync(join(folder, file)), file);
  }
});

test('analyze prints the same table again', async (t) => {
  const { folder, ended } = await undisturbed;
  const { code, out, err } = await pmvx('analyze', folder);
  t.is(code, 0, err);
  t.true(ended.out.includes(out.trim()));
});

test('a reader that leaves early is no error', async (t) => {
  const run = new Pmvx(['schema']);
  run.child.stdout?.destroy();
  const { code, err } = await run.end();
  t.deepEqual({ code, err }, { code: 0, err: '' });
});

test('the same spec gives the same table of trials, one at a time or four', async (t) => {
  const four = await newFolder();
  t.is((await pmvx('run', spec, '--out', four, '--jobs', '4')).code, 0);
  const csv = await csvOf((await undisturbed).folder);
  t.is(trialsIn(csv), TRIALS);
  t.is(await csvOf(four), csv);
});

test('a run whose controller was killed goes on where it was, and ends with the same bytes', async (t) => {
  const killed = await newFolder();
  const first = new Pmvx(['run', spec, '--out', killed, '--jobs', '2'], SLOW);
  await first.until(/^\[ 5\/16\]/m);
  first.child.kill('SIGKILL');
  const { code, out } = await first.end();
  t.is(code, null);
  const done = [...out.matchAll(/^\[ ?\d+\/16\]/gm)].length;
  t.true(done >= 5 && done < TRIALS, `${done} trials were recorded before the kill`);

  const lines = (await readFile(join(killed, 'trials.jsonl'), 'utf8')).trim().split('\n');
  const second = await pmvx('run', spec, '--resume', killed);
  t.is(second.code, 0, second.err);
  t.regex(second.out, new RegExp(`^${lines.length} of 16 trials are recorded already$`, 'm'));
  const after = (await readFile(join(killed, 'trials.jsonl'), 'utf8')).trim().split('\n');
  t.deepEqual(after.slice(0, lines.length), lines, 'what was recorded is untouched');
  t.is(await csvOf(killed), await csvOf((await undisturbed).folder));
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} stops a run cleanly: exit code 130, what was recorded is there, and how to go on`, async (t) => {
    const folder = await newFolder();
    const run = new Pmvx(['run', spec, '--out', folder, '--jobs', '2'], SLOW);
    await run.until(/^\[ 3\/16\]/m);
    run.child.kill(signal);
    const { code, out, err } = await run.end();
    t.is(code, 130);
    t.regex(err, /^pmvx: stopping; once more to exit at once$/m);
    t.regex(err, /^pmvx: stopped; go on with: pmvx run \S+spec\.yaml --resume \S+$/m);
    const recorded = Number(/^(\d+) of 16 trials recorded/m.exec(out)?.[1]);
    t.true(recorded >= 3 && recorded < TRIALS, out);
    t.is(trialsIn(await csvOf(folder)), recorded);
    t.false(existsSync(join(folder, 'run.lock')));

    if (signal !== 'SIGINT') return;
    const [, command] = /go on with: pmvx (.*)$/m.exec(err) ?? [];
    const resumed = await pmvx(...(command ?? '').split(' '));
    t.is(resumed.code, 0, resumed.err);
    t.regex(resumed.out, /^16 of 16 trials recorded/m);
  });
}

test('a run does not go on with a spec that has changed', async (t) => {
  const { folder } = await undisturbed;
  const changed = join(scratch, 'changed.yaml');
  await writeFile(changed, SPEC.replace('base: 7', 'base: 8'));
  const { code, err } = await pmvx('run', changed, '--resume', folder);
  t.is(code, 2);
  t.regex(err, /its spec has changed \(seeds\.base was 7, is 8\)/);
});

test('two controllers cannot write one run', async (t) => {
  const folder = await newFolder();
  const first = new Pmvx(['run', spec, '--out', folder, '--jobs', '1'], { PMVX_MOCK_TRIAL_MS: '600000' });
  await first.until(/^cli-test: 16 trials/m);
  const second = await pmvx('run', spec, '--resume', folder);
  t.is(second.code, 1);
  t.regex(second.err, new RegExp(`the run is in use by process ${first.child.pid} `));
  first.child.kill('SIGINT');
  t.is((await first.end()).code, 130);
});

test('a folder that holds something is not written over', async (t) => {
  const { folder } = await undisturbed;
  const again = await pmvx('run', spec, '--out', folder);
  t.is(again.code, 2);
  t.regex(again.err, /the folder is not empty .* Continue that run with --resume/);
});

test('results that cannot be written are refused before anything runs', async (t) => {
  const { code, out, err } = await pmvx('run', spec, '--out', join(spec, 'runs', 'one'));
  t.is(code, 3);
  t.is(out, '');
  t.regex(
    err,
    /results cannot be written here \(ENOTDIR\)\. Give a folder that can be written with --out DIR\./,
  );
});

test('there must be something to resume', async (t) => {
  const { code, err } = await pmvx('run', spec, '--resume', 'no-such-run');
  t.is(code, 2);
  t.regex(err, /no-such-run: not a run: provenance\.json cannot be read/);
});
