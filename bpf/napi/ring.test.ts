// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { buildAddon, cannotLoad, compileBpf } from './test/compile.ts';

buildAddon();

const why = cannotLoad();
const loads =
  why === undefined ? test : (title: string, _: unknown) => test.skip(`${title} (${why})`, () => {});
const SCRIPT = new URL('test/rings.ts', import.meta.url).pathname;
const run = (how: 'drop' | 'turns' | 'take') =>
  JSON.parse(execFileSync(process.execPath, [SCRIPT, how, compileBpf('sample')], { encoding: 'utf8' }));

loads('ring buffers that nobody holds any more go while records come, and the process lives', (t) => {
  t.true(run('drop') >= 0);
});

loads('a callback that causes the next record leaves the event loop its turns', (t) => {
  t.true(run('turns'));
});

loads('taking at once ends although each record causes another', (t) => {
  const taken = run('take');
  t.true(taken >= 1 && taken <= 4096 / 8, `${taken} records`);
});
