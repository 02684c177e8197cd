// SPDX-License-Identifier: Apache-2.0
// `./pmvx test`: the type check, the linters, a draw of mutants, then AVA; the last line counts. Its arguments are AVA's.
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { stripVTControlCharacters, styleText } from 'node:util';
import { execa } from 'execa';
import { type AvaLine, AvaReport, isSlow } from './launcher/read-ava.ts';
import { closingLine, fileLine, fileOfTitle, TestTally } from './launcher/test-count.ts';

const root = resolve(import.meta.dirname, '..');
/** Two minutes at most; a busy machine tries fewer. */
const DRAW = '--count 24 --per-file 3 --near 3 --jobs 2 --seconds 75 --least 80'.split(' ');
const tally = new TestTally();
const failures: string[] = [];
const live = process.stdout.isTTY === true;
const started = Date.now();

/** Prints lines in place of the live one. */
function print(...lines: string[]): void {
  process.stdout.write(`${live ? '\r\x1b[K' : ''}${lines.map((line) => `${line}\n`).join('')}`);
}

function mark(passed: boolean): string {
  return passed ? styleText('green', '✔') : styleText('red', '✘');
}

function progress(): string {
  const { passed, failed } = tally.total;
  return `${passed} passed, ${failed} failed after ${Math.round((Date.now() - started) / 1000)} s`;
}

function fail(file: string, count: number, words: string): void {
  tally.add(file, 'failed', count);
  failures.push(words);
}

/** A program that checks the whole project is one test; what it says is of interest when it fails, or always. */
async function check(title: string, program: string, args: readonly string[], always = false): Promise<void> {
  const path = join(root, program);
  const ended = await execa(process.execPath, [path, ...args], { cwd: root, reject: false, all: true });
  print(`${mark(!ended.failed)} ${title}`);
  if (ended.failed) fail('', 1, title);
  else tally.add('', 'passed');
  if (!ended.failed && !always) return;
  print(
    ...stripVTControlCharacters(ended.all || ended.message || '')
      .split('\n')
      .map((line) => `    ${line}`),
    '',
  );
}

/** Counts what a line of AVA says, and prints it unless it tells of one more test that passed at once. */
function take(said: AvaLine, line: string, troubled: Set<string>): void {
  if (said.kind === 'passed' || said.kind === 'skipped') {
    tally.add(fileOfTitle(said.title), said.kind);
    if (said.kind === 'skipped' || isSlow(said.title)) print(line);
  } else if (said.kind === 'failed') {
    fail(fileOfTitle(said.title), 1, said.title);
    print(line);
  } else if (said.kind === 'lost' || said.kind === 'ended') {
    // A file that throws is told twice: that it threw, and that it ended with an exit code.
    if (said.kind === 'lost') fail(said.file, said.count, line.trim());
    else if (!troubled.has(said.file)) fail(said.file, 1, line.trim());
    troubled.add(said.file);
    print(line);
  } else if (said.kind === 'words') {
    print(line);
  }
  if (live) process.stdout.write(`\r\x1b[K${progress()}`);
}

/** The suite; gives AVA's exit code. */
async function suite(args: readonly string[]): Promise<number> {
  const ava = join(root, 'node_modules/ava/entrypoints/cli.js');
  // Its stderr is what tests and workers print on their own.
  const child = execa(process.execPath, [ava, ...args], {
    cwd: root,
    reject: false,
    buffer: false,
    stdin: 'ignore',
    stderr: 'inherit',
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass).on('SIGHUP', pass);
  // A terminal sends Ctrl-C to AVA too, which then says what it was at.
  process.on('SIGINT', () => undefined);
  // In a log, silence over minutes looks like a hang.
  const heartbeat = live ? undefined : setInterval(() => print(`  ${progress()}`), 30_000);

  const report = new AvaReport();
  const troubled = new Set<string>();
  let ran = 0;
  for await (const line of child.iterable()) {
    const said = report.read(line);
    if (said.kind === 'passed' || said.kind === 'failed') ran++;
    take(said, line, troubled);
  }
  clearInterval(heartbeat);
  const ended = await child;
  if (ran === 0) fail('', 1, ['no test ran for', ...args].join(' ').replace(/ for$/, ''));
  else if (ended.failed && tally.total.failed === 0) {
    fail('', 1, `AVA ended with ${ended.signal ?? `exit code ${ended.exitCode}`}`);
  }
  return ended.exitCode ?? 1;
}

/** Files are given from the caller's folder, patterns from the project's. */
function fromRoot(arg: string): string {
  const path = resolve(arg);
  return !arg.startsWith('-') && existsSync(path) ? relative(root, path) : arg;
}

await check('types (tsc)', 'node_modules/typescript/bin/tsc', ['--noEmit']);
await check('style (biome)', 'node_modules/@biomejs/biome/bin/biome', ['check', '.']);
await check('promises (oxlint)', 'node_modules/oxlint/bin/oxlint', ['--type-aware']);
const given = process.argv.slice(2);
const mutate = 'harness/testing/mutate/mutate.ts';
// Some changes of some sources, as the whole suite is run.
if (given.length === 0 && existsSync(join(root, mutate))) await check('mutants (a draw)', mutate, DRAW, true);
const avaCode = await suite(given.map(fromRoot));

for (const [file, count] of tally.files) {
  if (file !== '') print(`${mark(count.failed === 0)} ${fileLine(file, count)}`);
}
if (failures.length > 0) print('', 'Failed:', ...failures.map((words) => `  ${words}`));
print('', closingLine(tally.total));
process.exitCode = avaCode !== 0 ? avaCode : tally.total.failed > 0 ? 1 : 0;
