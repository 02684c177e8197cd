// SPDX-License-Identifier: GPL-2.0-only
// A process of its own, for calls of this one's other threads would count: `node rings.ts drop|turns|take OBJECT`. Prints what came.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BpfObject } from '../index.js';

const ROUNDS = 400;
const LIMIT = 2_000_000;
const [, , how = '', path = ''] = process.argv;
const object = BpfObject.open(path);
object.setGlobal('only_tgid', process.pid).load();
object.program('on_call').attach();
const events = object.map('events');
let came = 0;

/** Handles go, unclosed, while their waiting threads have calls queued. */
function drop(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let round = 0;
  const step = () => {
    for (let i = 0; i < 3; i++) events.readRing(() => came++);
    for (let i = 0; i < 20; i++) process.getuid?.();
    const until = performance.now() + 2;
    while (performance.now() < until);
    collect();
    if (++round < ROUNDS) setImmediate(step);
    else console.log(came);
  };
  step();
}

/** Each record causes the next; prints whether a timer had its turn before the limit. */
function turns(): void {
  const ring = events.readRing(() => {
    if (++came < LIMIT) process.getuid?.();
    else end(false);
  });
  const end = (hadTurn: boolean) => {
    console.log(hadTurn);
    process.exit();
  };
  setTimeout(() => end(came > 0 && ring !== undefined), 50);
  process.getuid?.();
}

/** Each record causes the next while they are taken at once. */
function take(): void {
  const ring = events.readRing(() => {
    if (++came < LIMIT) process.getuid?.();
  });
  process.getuid?.();
  console.log(ring.take());
  process.exit();
}

const runs: Readonly<Record<string, () => void>> = { drop, turns, take };
runs[how]?.();
