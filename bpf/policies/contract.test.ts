// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../../harness/core/load-catalog.ts';

const { policies } = await loadCatalog(join(import.meta.dirname, '..', '..'));
const processes = [...policies.values()].flatMap(({ id, definition }) =>
  definition.kind === 'process' ? [{ id, definition }] : [],
);

test('the built-in scheduler is there once, as the baseline of all others', (t) => {
  const builtin = [...policies.values()].filter(({ definition }) => definition.kind === 'builtin');
  t.deepEqual(
    builtin.map(({ id }) => id),
    ['eevdf'],
  );
});

for (const { id, definition } of processes) {
  test(`${id}: the kernel's name for it is that of its program`, (t) => {
    const program = /^\/opt\/pmvx\/sched\/(scx_[a-z0-9]+)$/.exec(definition.argv[0] ?? '')?.[1] ?? '';
    t.not(program, '');
    // All schedulers call their ops as the program without `scx_`; those in Rust add their version.
    const { crate } = definition;
    t.is(definition.ops, program.slice('scx_'.length) + (crate === undefined ? '' : '_*'));
    if (crate !== undefined) t.is(crate.replace(/@.*/, ''), program);
    t.true(id === program || id.startsWith(`${program}-`), 'a variant is named after its program');
  });
}

test('no two policies are the same command', (t) => {
  const commands = processes.map(({ definition }) => definition.argv.join(' '));
  t.is(new Set(commands).size, commands.length);
});
