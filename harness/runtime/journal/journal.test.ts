// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { JournalLine } from '../contracts.ts';
import { SceneClock } from '../daemon/scene.ts';
import { Journal, type NewLine } from './journal.ts';
import { readJournal } from './read.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'pmvx-journal-'));
const open = (path: string, given: { life?: string; mostBytes?: number; keep?: number } = {}) =>
  Journal.open({ path, clock: new SceneClock(), life: 'l', mostBytes: 1 << 24, keep: 2, ...given });
/** For a disk that many use. */
const PATIENCE_MS = 60_000;
/** `close` waits for a slow disk no longer than a daemon may that has to end; here all is to be written. */
async function close(t: ExecutionContext, journal: Journal): Promise<void> {
  t.true(await journal.sync(PATIENCE_MS));
  await journal.close();
}
const event = (what: string): NewLine => ({ kind: 'event', event: 'fault', what });

async function linesOf(path: string): Promise<JournalLine[]> {
  const lines: JournalLine[] = [];
  for await (const line of readJournal(path)) lines.push(line);
  return lines;
}
const words = (lines: readonly JournalLine[]) =>
  lines.map((line) => (line.kind === 'event' ? line.what : line.kind));

test('lines are numbered, stamped and read back in order', async (t) => {
  const path = join(folder(), 'j.jsonl');
  const journal = open(path);
  const written = ['a', 'b'].map((what) => journal.write(event(what)));
  await close(t, journal);
  t.deepEqual(await linesOf(path), written);
  t.like(written[1], { v: 1, seq: 1, life: 'l', what: 'b' });
  t.is(statSync(path).mode & 0o777, 0o640);
});

test('a full file makes room for the next; the oldest go', async (t) => {
  const path = join(folder(), 'j.jsonl');
  const journal = open(path, { mostBytes: 2000, keep: 2 });
  for (let at = 0; at < 60; at++) journal.write(event(`e${at}`));
  await close(t, journal);
  t.true(existsSync(`${path}.2`));
  t.false(existsSync(`${path}.3`));
  const read = words(await linesOf(path));
  t.is(read.at(-1), 'e59');
  t.deepEqual(
    read,
    Array.from({ length: read.length }, (_, at) => `e${60 - read.length + at}`),
  );
});

test('half a line, as a power cut leaves it, spoils no other', async (t) => {
  const path = join(folder(), 'j.jsonl');
  const journal = open(path);
  journal.write(event('a'));
  await close(t, journal);
  appendFileSync(path, '{"v":1,"kind":"event","seq":1,"li');
  const next = open(path, { life: 'm' });
  next.write(event('b'));
  await close(t, next);
  t.deepEqual(words(await linesOf(path)), ['a', 'b']);
});

test('what a dead daemon left in the reserve comes into the journal', async (t) => {
  const path = join(folder(), 'j.jsonl');
  await close(t, open(path));
  const reserve = readFileSync(`${path}.reserve`);
  const line = `${JSON.stringify({ v: 1, kind: 'event', seq: 3, life: 'old', at: 'x', monotonicNs: 1, event: 'fault', what: 'left' })}\n`;
  writeFileSync(`${path}.reserve`, Buffer.concat([Buffer.from(line), reserve.subarray(line.length)]));
  t.deepEqual(words(await linesOf(path)), ['left'], 'and is read from there already');
  await close(t, open(path));
  t.is(readFileSync(path, 'utf8'), line);
  t.is(readFileSync(`${path}.reserve`, 'utf8').trim(), '');
  t.deepEqual(words(await linesOf(path)), ['left']);
});

test('a place that cannot be written is one clear error', (t) => {
  t.throws(() => open('/proc/no/journal.jsonl'), {
    message: /^\/proc\/no\/journal.jsonl: the journal cannot be written: .*--journal/,
  });
});

const mayMount = process.getuid?.() === 0;
const mounted = mayMount
  ? test
  : (title: string, _: unknown) => test.skip(`${title} (needs root, to mount)`, () => {});

mounted(
  'on a full disk what was done is kept all the same, and put in its place when there is room',
  async (t) => {
    const place = folder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'pmvx-test', place], { stdio: 'pipe' });
    } catch (error) {
      t.log(`nothing can be mounted here: ${(error as Error).message}`);
      return t.pass();
    }
    try {
      const path = join(place, 'j.jsonl');
      const journal = open(path);
      journal.write(event('before'));
      t.true(await journal.sync(PATIENCE_MS));
      const ballast = join(place, 'ballast');
      try {
        for (;;) appendFileSync(ballast, Buffer.alloc(4096));
      } catch {
        // Full.
      }
      // The journal's last block has some room left.
      const written: string[] = [];
      for (let at = 0; at < 80; at++)
        written.push(words([journal.write(event(`done ${at} ${'x'.repeat(40)}`))])[0] as string);
      t.true(await journal.sync(PATIENCE_MS));
      t.regex(journal.fault ?? '', /^the journal takes no lines: ENOSPC/);
      t.deepEqual(words(await linesOf(path)), ['before', ...written], 'nothing is lost');
      t.true(await journal.sync(PATIENCE_MS));
      rmSync(ballast);
      journal.write(event('after'));
      t.true(await journal.sync(PATIENCE_MS));
      t.is(journal.fault, undefined);
      const healed = words(await linesOf(path));
      t.deepEqual(healed.slice(0, 81), ['before', ...written]);
      t.regex(healed[81] ?? '', /^the journal takes lines again; 0 windows/);
      t.is(healed[82], 'after');
      const seqs = (await linesOf(path)).map(({ seq }) => seq);
      t.is(new Set(seqs).size, seqs.length);
      await close(t, journal);
    } finally {
      execFileSync('umount', ['-l', place]);
    }
  },
);
