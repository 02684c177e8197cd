// SPDX-License-Identifier: Apache-2.0
// `./pmvx test`: the type check, the linter, then AVA; the last line counts. Its arguments are AVA's.
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { styleText } from 'node:util';
import { execa } from 'execa';
import { failureText } from './launcher/failure-text.ts';
import { readTap, type TapTest } from './launcher/read-tap.ts';
import { closingLine, fileLine, TestTally } from './launcher/test-count.ts';

const root = resolve(import.meta.dirname, '..');
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

function fail(title: string, lines: readonly string[]): void {
  failures.push(title);
  print(`${mark(false)} ${title}`, ...lines.map((line) => `    ${line}`), '');
}

function progress(): string {
  const { passed, failed } = tally.total;
  return `${passed} passed, ${failed} failed after ${Math.round((Date.now() - started) / 1000)} s`;
}

/** A program that checks the whole project is one test. */
async function check(title: string, program: string, ...args: string[]): Promise<void> {
  const path = join(root, 'node_modules', program);
  const ended = await execa(process.execPath, [path, ...args], { cwd: root, reject: false, all: true });
  tally.add({ title, state: ended.failed ? 'failed' : 'passed' });
  if (ended.failed) fail(title, (ended.all || ended.message || '').split('\n'));
  else print(`${mark(true)} ${title}`);
}

function record(test: TapTest): void {
  tally.add(test);
  if (test.state === 'failed') fail(test.title, failureText(test));
  else if (live) process.stdout.write(`\r\x1b[K${progress()}`);
}

/** AVA's own count may be higher than what it named: a worker that dies takes tests along that never reported. */
function recordUnnamed(count: number, reason: string): void {
  for (let index = 0; index < count; index++) tally.add({ title: reason, state: 'failed' });
  if (count > 0) fail(reason, []);
}

async function suite(args: readonly string[]): Promise<number> {
  const ava = join(root, 'node_modules/ava/entrypoints/cli.js');
  // Its stderr is what tests and workers print on their own.
  const child = execa(process.execPath, [ava, '--tap', ...args], {
    cwd: root,
    reject: false,
    buffer: false,
    stdin: 'ignore',
    stderr: 'inherit',
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass).on('SIGHUP', pass);
  // A terminal sends Ctrl-C to AVA too, which then says what it had.
  process.on('SIGINT', () => undefined);
  // In a log, silence over minutes looks like a hang.
  const heartbeat = live ? undefined : setInterval(() => print(`  ${progress()}`), 30_000);

  let named = 0;
  let ran = 0;
  for await (const event of readTap(child.iterable())) {
    if (event.kind === 'test') {
      record(event);
      if (event.state === 'failed' || event.state === 'todo') named++;
      if (event.state === 'failed' || event.state === 'passed') ran++;
    } else if (event.kind === 'failures') {
      recordUnnamed(event.count - named, 'tests that never came to an end');
      named = Math.max(named, event.count);
    } else {
      print(event.text);
    }
  }
  clearInterval(heartbeat);
  const ended = await child;
  if (ran === 0) recordUnnamed(1, ['no test ran for', ...args].join(' ').replace(/ for$/, ''));
  else if (ended.failed && tally.total.failed === 0) {
    recordUnnamed(1, `AVA ended with ${ended.signal ?? `exit code ${ended.exitCode}`}`);
  }
  return ended.exitCode ?? 1;
}

/** Files are given from the caller's folder, patterns from the project's. */
function fromRoot(arg: string): string {
  const path = resolve(arg);
  return !arg.startsWith('-') && existsSync(path) ? relative(root, path) : arg;
}

await check('types (tsc)', 'typescript/bin/tsc', '--noEmit');
await check('style (biome)', '@biomejs/biome/bin/biome', 'check', '.');
const avaCode = await suite(process.argv.slice(2).map(fromRoot));

for (const [file, count] of tally.files) {
  if (file !== '') print(`${mark(count.failed === 0)} ${fileLine(file, count)}`);
}
if (failures.length > 0) print('', 'Failed:', ...failures.map((title) => `  ${title}`));
print('', closingLine(tally.total));
process.exitCode = avaCode !== 0 ? avaCode : tally.total.failed > 0 ? 1 : 0;
