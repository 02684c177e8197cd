// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import test, { type ExecutionContext } from 'ava';
import { loadCatalog } from '../core/load-catalog.ts';
import { agentOf } from '../runtime/mcp/client-scene.ts';
import type { McpParts } from '../runtime/mcp/parts.ts';
import { serveMcp } from '../runtime/mcp/server.ts';
import { thisMachine } from '../runtime/sense/machine.ts';
import type { SceneOptions } from '../whatif/scene.ts';
import { sceneFork } from '../whatif/scene.ts';
import type { CommandContext } from './context.ts';
import { mcpReports } from './mcp-reports.ts';
import { askFutures } from './mcp-what-if.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const none = () => Promise.reject(new Error('not in this scene'));

/** The server with forks that a mock guest answers, and a client beside it. */
async function scene(t: ExecutionContext, options: SceneOptions = {}) {
  const context: CommandContext = {
    root: ROOT,
    write: () => t.fail('stdout is the protocol alone'),
    warn: () => undefined,
    catalog: () => loadCatalog(ROOT),
    signal: new AbortController().signal,
    isTTY: false,
    env: {},
  };
  const quiet = { ...context, write: context.warn };
  const parts: McpParts = {
    version: '0',
    allowApply: false,
    machine: thisMachine(),
    objective: 'primary',
    openMap: none,
    daemon: none,
    sense: none,
    kernel: () => ({ state: 'absent' }),
    policies: async () => [],
    whatIf: (asked, call) => askFutures(asked, call, quiet, async () => sceneFork(options)),
    reports: mcpReports(quiet, join(ROOT, 'none')),
  };
  const [mine, theirs] = InMemoryTransport.createLinkedPair();
  const server = await serveMcp(parts, theirs);
  t.teardown(() => server.close());
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(mine);
  await client.listTools();
  return agentOf(client);
}

const ASKED = { workload: 'hackbench:groups=1,loops=20', policies: ['scx_simple'], at: 'quiescent' };

test('what_if answers what each policy would have done from the same states, and tells of each fork', async (t) => {
  const agent = await scene(t);
  const seen: string[] = [];
  const answer = await agent.watch(
    'what_if',
    { ...ASKED, states: 2 },
    { onprogress: ({ progress, total, message }) => seen.push(`${progress}/${total} ${message}`) },
  );
  t.like(answer, {
    workload: 'hackbench',
    at: 'quiescent',
    states: 2,
    metric: { unit: 's', direction: 'lower' },
  });
  const [eevdf, simple] = answer.policies as {
    policy: string;
    completed: number;
    ratio: { ratio: number };
    verdict?: string;
  }[];
  t.like(eevdf, { policy: 'eevdf', completed: 2 });
  t.like(simple, { policy: 'scx_simple', completed: 2, verdict: 'too few blocks' });
  t.true(Math.abs((simple?.ratio.ratio ?? 0) - 0.5) < 1e-9);
  t.deepEqual(
    seen.map((line) => line.split(' ')[0]),
    ['0/4', '1/4', '2/4', '3/4', '4/4'],
  );
});

test('a call that is cancelled ends its forks', async (t) => {
  const begun = Promise.withResolvers<void>();
  const agent = await scene(t, {
    behaviour: () => {
      begun.resolve();
      return { kind: 'hang' as const };
    },
  });
  const cancel = new AbortController();
  const call = agent.watch('what_if', ASKED, { signal: cancel.signal });
  await begun.promise;
  cancel.abort(new Error('enough'));
  await t.throwsAsync(call);
  // The server is free for the next question.
  t.like(await agent.fails('what_if', { ...ASKED, workload: 'nosuch' }), { code: 'bad-params' });
});

test('a call that takes longer than it may says how to ask again', async (t) => {
  const agent = await scene(t, { behaviour: () => ({ kind: 'hang' }) });
  const failure = await agent.fails('what_if', { ...ASKED, mostSeconds: 1 });
  t.is(failure.code, 'out-of-time');
  t.regex(failure.next ?? '', /mostSeconds/);
});
