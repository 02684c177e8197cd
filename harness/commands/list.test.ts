// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { Catalog } from '../core/catalog.ts';
import { PolicySchema } from '../core/policy.ts';
import { WorkloadSchema } from '../core/workload.ts';
import type { CommandContext } from './context.ts';
import { listCommand } from './list.ts';

const text = { summary: 'Sums up.', source: 'a' };
const time = { unit: 's', direction: 'lower', primary: true, pattern: '(.)', about: 'a' };
const catalog: Catalog = {
  policies: new Map(
    ['eevdf', 'scx_x'].map((id) => {
      const common = { ...text, suits: 'a', weakness: 'a' };
      const kind = id === 'eevdf' ? { kind: 'builtin' } : { kind: 'process', argv: ['/x'], ops: 'x' };
      return [id, { id, definition: PolicySchema.parse({ ...common, ...kind }) }];
    }),
  ),
  workloads: new Map([
    [
      'flood',
      {
        id: 'flood',
        definition: WorkloadSchema.parse({
          ...text,
          class: 'pipeline',
          params: {},
          seed: 'a',
          argv: ['/x'],
          metrics: { rate: { ...time, primary: false }, time },
          deadline_s: 60,
          takes_s: { exact: 1, kvm: 1 },
        }),
      },
    ],
  ]),
  recipes: ['full', 'quick'],
};

function contextInto(lines: string[]): CommandContext {
  return {
    root: '/nonexistent',
    write: (line) => void lines.push(line),
    warn: (line) => void lines.push(`stderr: ${line}`),
    catalog: async () => catalog,
    signal: new AbortController().signal,
    isTTY: false,
    env: {},
  };
}

async function listed(what: string, json = false): Promise<string[]> {
  const lines: string[] = [];
  await listCommand({ what, json }, contextInto(lines));
  return lines;
}

test('policies and workloads are listed in aligned columns', async (t) => {
  t.deepEqual(await listed('policies'), [
    'policy  kind     summary',
    'eevdf   builtin  Sums up.',
    'scx_x   process  Sums up.',
  ]);
  t.deepEqual(await listed('workloads'), [
    'workload  class     metric  summary',
    'flood     pipeline  time    Sums up.',
  ]);
});

test('for programs, the whole definitions are one JSON text', async (t) => {
  const policies = JSON.parse((await listed('policies', true)).join('\n'));
  t.deepEqual(policies[1], {
    id: 'scx_x',
    kind: 'process',
    summary: 'Sums up.',
    suits: 'a',
    weakness: 'a',
    source: 'a',
    argv: ['/x'],
    ops: 'x',
  });
  const workloads = JSON.parse((await listed('workloads', true)).join('\n'));
  t.is(workloads[0].metrics.time.unit, 's');
});

test('images come from whoever knows them, and from the recipes alone otherwise', async (t) => {
  t.deepEqual(await listed('images'), ['recipe', 'full', 'quick']);
  const lines: string[] = [];
  await listCommand({ what: 'images' }, contextInto(lines), async () => [{ recipe: 'quick', built: 'yes' }]);
  t.deepEqual(lines, ['recipe  built', 'quick   yes']);
});

test('no runs is an answer', async (t) => {
  t.deepEqual(await listed('runs', true), ['[]']);
  t.deepEqual(await listed('runs'), ['no runs yet: ./pmvx quickstart makes the first']);
});

test('an unknown list is refused with the one that was meant', async (t) => {
  await t.throwsAsync(listed('polices'), {
    message: 'there is no list of "polices". Did you mean policies?',
  });
  await t.throwsAsync(listed('toString'), {
    message: 'there is no list of "toString". Known are: policies, workloads, images, runs',
  });
});
