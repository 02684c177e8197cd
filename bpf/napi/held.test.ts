// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { HeldProgram, type HeldState } from './index.js';
import { buildAddon } from './test/compile.ts';

buildAddon();

const folder = mkdtempSync(join(tmpdir(), 'held-'));
const HOLDER = join(folder, 'holder');
execFileSync('gcc', ['-O1', '-o', HOLDER, new URL('test/holder.c', import.meta.url).pathname]);

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? test : (title: string, _: unknown) => test.skip(`${title} (needs root)`, () => {});

const start = (...more: string[]) => HeldProgram.start([HOLDER, ...more]);

async function until(held: HeldProgram, stage: HeldState['stage']): Promise<HeldState> {
  for (let left = 12_000; left > 0; left--) {
    const { state } = held;
    if (state.stage === stage) return state;
    await delay(10);
  }
  throw new Error(`it is ${held.state.stage}, not ${stage}`);
}

async function gone(pid: number): Promise<boolean> {
  for (let left = 12_000; left > 0; left--) {
    try {
      // A zombie that nobody reaps is gone, too.
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return true;
    } catch {
      return true;
    }
    await delay(10);
  }
  return false;
}

asRoot('a program is stopped right before it attaches a struct_ops, and at nothing else', async (t) => {
  const held = start();
  const said = () => held.state.words;
  const { pid } = await until(held, 'waiting');
  t.regex(said(), /^0: -1 .*\n$/, 'another kind of link goes on');
  // It sleeps by itself only when it has said all: one that sleeps before is held.
  while (!/^State:\s+S/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await delay(1);
  t.is(held.state.stage, 'waiting');
  t.regex(said(), /^0: -1 .*\n$/);
  held.release();
  for (let left = 12_000; left > 0 && said().split('\n').length < 4; left--) await delay(10);
  t.regex(said(), /^(?:\d+: -1 .*\n){3}$/, 'a second one is not stopped any more');
  t.true(held.kill(15));
  t.like(await until(held, 'ended'), { pid, stage: 'ended', signal: 15 });
  t.false(held.kill(15));
});

asRoot('one that was let go beforehand does not wait, and its end is told', async (t) => {
  const held = start('and', 'end');
  held.release();
  const { stage, code, words } = await until(held, 'ended');
  t.deepEqual({ stage, code }, { stage: 'ended', code: 3 });
  t.is(words.split('\n').length, 4, 'what it said last is heard before its end');
});

asRoot('what cannot be run is refused with the words of the kernel, and leaves nothing', (t) => {
  t.throws(() => HeldProgram.start([join(folder, 'nothing')]), {
    code: 'ENOENT',
    message: /cannot start .*nothing/,
  });
  t.throws(() => HeldProgram.start(['/etc/passwd']), { code: 'EACCES' });
  t.throws(() => HeldProgram.start([]), { code: 'ERR_INVALID_ARG_VALUE' });
  t.throws(() => HeldProgram.start(['x', 3 as never]), { code: 'ERR_INVALID_ARG_TYPE' });
});

asRoot('of a program that says much the end is kept', async (t) => {
  const held = HeldProgram.start(['/usr/bin/seq', '100000']);
  const { words, code } = await until(held, 'ended');
  t.is(code, 0);
  t.is(words.length, 4096);
  t.true(words.endsWith('99999\n100000\n'));
});

asRoot('it is killed with the process that started it, even by kill -9', async (t) => {
  const script = `
    const { HeldProgram } = await import(${JSON.stringify(new URL('index.js', import.meta.url).href)});
    globalThis.kept = HeldProgram.start([${JSON.stringify(HOLDER)}]);
    console.log(kept.state.pid);
    setInterval(() => kept.state, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(chunk.toString());
  t.true(pid > 0);
  process.kill(pid, 0);
  child.kill('SIGKILL');
  t.true(await gone(pid));
});

asRoot('a program that never stops talking is stopped and ends like any other', async (t) => {
  const held = HeldProgram.start(['/bin/sh', '-c', 'yes & exec "$0"', HOLDER]);
  const { pid } = await until(held, 'waiting');
  t.true(held.kill(9));
  // What it started talks on.
  t.like(await until(held, 'ended'), { signal: 9 });
  process.kill(-pid, 'SIGKILL');
});

/** What a script prints that runs in a process of its own, started by a shell that did `before`. */
function ownProcess(before: string, script: string): string {
  const head = `const { HeldProgram } = await import(${JSON.stringify(new URL('index.js', import.meta.url).href)});`;
  return execFileSync(
    'bash',
    ['-c', `${before}; exec "$0" --input-type=module -e "$1"`, process.execPath, head + script],
    { encoding: 'utf8' },
  );
}

asRoot('where descriptors run out it is refused, or its end is seen', (t) => {
  const script = `
    import { openSync, closeSync } from 'node:fs';
    HeldProgram.start(['/bin/true']);
    const outcomes = [];
    for (let spare = 0; spare < 12; spare++) {
      const taken = [];
      try { for (;;) taken.push(openSync('/dev/null')); } catch {}
      for (const fd of taken.splice(0, spare)) closeSync(fd);
      let held;
      try { held = HeldProgram.start(['/bin/true']); } catch (error) { outcomes.push(error.code); }
      for (const fd of taken) closeSync(fd);
      if (held === undefined) continue;
      for (let left = 1000; left > 0 && held.state.stage !== 'ended'; left--) await new Promise((go) => setTimeout(go, 10));
      outcomes.push(held.state.stage);
    }
    console.log(JSON.stringify([...new Set(outcomes)].sort()));`;
  t.deepEqual(JSON.parse(ownProcess('ulimit -n 60', script)), ['EMFILE', 'ended']);
});

asRoot('it gets no descriptor but 0, 1 and 2', (t) => {
  const script = `
    const held = HeldProgram.start(['/bin/sh', '-c', 'ls /proc/$$/fd; true']);
    while (held.state.stage !== 'ended') await new Promise((go) => setTimeout(go, 10));
    console.log(held.state.words);`;
  t.deepEqual(ownProcess('exec 77</etc/hostname', script).trim().split('\n'), ['0', '1', '2']);
});
