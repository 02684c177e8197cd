// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { openAgent } from './client-scene.ts';
import { REGIME, sceneMap } from './scene.ts';

const CLI = resolve(import.meta.dirname, '../../cli.ts');

function folderFor(t: { teardown(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-mcp-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('stdout has the protocol alone, and the server ends when its client closes stdin', async (t) => {
  const child = spawn(process.execPath, [CLI, 'mcp'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = text(child.stdout);
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const hello = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  };
  send({ id: 1, method: 'initialize', params: hello });
  send({ method: 'notifications/initialized' });
  send({ id: 2, method: 'tools/list' });
  send({ id: 3, method: 'tools/call', params: { name: 'policies', arguments: { kind: 'builtin' } } });
  send({ id: 4, method: 'tools/call', params: { name: 'nosuch' } });
  child.stdin.write('this is not the protocol\n');
  send({
    id: 5,
    method: 'tools/call',
    params: { name: 'recommend', arguments: { vector: { features: 'features-1', values: [] } } },
  });
  // Stdin stays open until all is answered: a client that has gone waits for nothing.
  let answers = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    answers += chunk.toString().split('\n').length - 1;
  });
  const until = Date.now() + 600_000;
  while (answers < 5 && Date.now() < until) await new Promise((done) => setTimeout(done, 50));
  child.stdin.end();
  t.is(await ended, 0);
  const lines = (await said)
    .split('\n')
    .flatMap((line) => (line === '' ? [] : (JSON.parse(line) as { id: number })));
  t.deepEqual(
    lines.map(({ id }) => id).sort((a, b) => a - b),
    [1, 2, 3, 4, 5],
    'an answer for each request, and nothing else',
  );
});

test('every tool has typed schemas, says what it does to the world, and nothing reads less than it claims', async (t) => {
  const agent = await openAgent([]);
  t.teardown(() => agent.close());
  const { tools } = await agent.client.listTools();
  t.deepEqual(tools.map(({ name }) => name).sort(), [
    'apply',
    'evidence',
    'explain',
    'observe',
    'policies',
    'propose',
    'recommend',
    'rollback',
    'what_if',
  ]);
  for (const { name, inputSchema, outputSchema, annotations, description } of tools) {
    t.is(inputSchema.type, 'object', name);
    t.is(outputSchema?.type, 'object', name);
    t.true((description ?? '').length > 40, name);
    t.is(annotations?.readOnlyHint, !['apply', 'rollback', 'propose'].includes(name), name);
    t.is(annotations?.destructiveHint, ['apply', 'rollback'].includes(name), name);
  }
  t.regex(agent.client.getInstructions() ?? '', /observe/);
});

test('an error says what is wrong and what to do', async (t) => {
  const folder = folderFor(t);
  const agent = await openAgent(['--socket', join(folder, 'none.sock')]);
  t.teardown(() => agent.close());
  t.like(await agent.fails('evidence', { policy: 'eevdf' }), { code: 'no-map' });
  t.like(await agent.fails('evidence', { limit: 0 }), { code: 'bad-params' });
  const unknown = await agent.fails('evidence', { policies: 'eevdf', '\u001b[2J': 1 });
  t.like(unknown, { code: 'bad-params' });
  t.regex(`${unknown.what} ${unknown.next}`, /takes no argument "policies" It takes .*policy/);
  const misspelt = await agent.fails('what_if', { workload: 'hackbnch', policies: ['scx_simple'] });
  t.is(misspelt.code, 'bad-params');
  t.regex(`${misspelt.what} ${misspelt.next}`, /hackbench/);
  const costly = await agent.fails('what_if', {
    workload: 'hackbench',
    policies: ['scx_simple', 'scx_central'],
    states: 10,
  });
  t.is(costly.code, 'too-costly');
  t.regex(costly.what, /3 policies from 10 states are 30 forks; 12 are allowed/);
  t.like(await agent.fails('explain'), {
    code: 'environment',
    next: 'Start it, or give its socket with --socket',
  });
  t.like(await agent.fails('propose', { policy: 'scx_simple', reason: 'no daemon' }), {
    code: 'environment',
  });
  await t.throwsAsync(agent.client.callTool({ name: 'nosuch' }), {
    message: /there is no tool nosuch; there are: observe,/,
  });
});

test('without a daemon the machine is observed by probes, or the reason why it cannot be is an error', async (t) => {
  const folder = folderFor(t);
  const agent = await openAgent(['--socket', join(folder, 'none.sock')]);
  t.teardown(() => agent.close());
  const seen = await agent
    .ask('observe', { windowMs: 300 })
    .catch(async () => agent.fails('observe', { windowMs: 300 }));
  if ('code' in seen) {
    t.is(seen.code, 'cannot-observe');
    t.regex(String(seen.next), /pmvx autotune/);
  } else {
    t.is(seen.source, 'probes');
  }
});

test('a recommendation for a vector has interval, neighbours and evidence, and its trials can be looked up', async (t) => {
  const { map, machine, vector } = await sceneMap(folderFor(t));
  const folder = folderFor(t);
  const { writeFileSync } = await import('node:fs');
  const config = join(folder, 'config.yaml');
  writeFileSync(config, JSON.stringify({ machine }));
  const agent = await openAgent(['--map', map, '--config', config]);
  t.teardown(() => agent.close());
  const given = { features: 'features-1', values: vector };
  type Row = { policy: string; workload: string; trials: number; ratio?: number };
  const advice = await agent.ask<{
    recommend: string;
    interval: { high: number };
    neighbours: { workload: string }[];
    evidence: Row[];
    source: string;
  }>('recommend', { vector: given });
  t.is(advice.source, 'given');
  t.true(advice.interval.high < 1);
  t.is(advice.neighbours[0]?.workload, REGIME);
  const shown = advice.evidence.find(
    ({ policy, workload }) => policy === advice.recommend && workload === REGIME,
  );
  t.true((shown?.trials ?? 0) > 0 && (shown?.ratio ?? 1) < 1);
  const first = await agent.ask<{ outcomes: { trial: string }[]; total: number; next?: number }>('evidence', {
    policy: advice.recommend,
    limit: 2,
  });
  t.is(first.next, 2);
  const second = await agent.ask<{ outcomes: { trial: string }[] }>('evidence', {
    policy: advice.recommend,
    limit: 2,
    offset: 2,
  });
  t.notDeepEqual(first.outcomes, second.outcomes);
  t.like(await agent.fails('recommend', { vector: { features: 'features-1', values: [1, 0] } }), {
    code: 'bad-params',
  });
  const strange = await agent.ask<{ abstained: boolean; why: string }>('recommend', {
    vector: { features: 'features-0', values: [1] },
  });
  t.true(strange.abstained);
  t.regex(strange.why, /features-0/);
});

test('reports are resources: those of runs that ship, tables, pages and a page that is made when it is read', async (t) => {
  const agent = await openAgent([]);
  t.teardown(() => agent.close());
  const { resources } = await agent.client.listResources();
  const uris = resources.map(({ uri }) => uri);
  const [table] = uris.filter((uri) => /^pmvx:\/\/run\/quickstart-[\w-]+\/table\.md$/.test(uri));
  t.truthy(table);
  t.true(uris.includes('pmvx://reference/policy-map.md'));
  const read = async (uri: string) =>
    ((await agent.client.readResource({ uri })).contents[0] as { text: string }).text;
  t.regex(await read(table as string), /hackbench/);
  t.regex(await read((table as string).replace('table.md', 'report.html')), /^<!doctype html>/i);
  for (const uri of [
    'pmvx://run/../reference/table.md',
    'pmvx://run/nosuch/table.md',
    'pmvx://reference/../../README.md',
    'file:///etc/passwd',
  ]) {
    await t.throwsAsync(read(uri), { message: /there is no resource/ }, uri);
  }
});
