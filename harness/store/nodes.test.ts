// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { addNodes, fingerprintOf, type NodeFacts, ownNode, readNodes } from './nodes.ts';

const NODE: NodeFacts = { name: 'n1', cpuModel: 'A', cores: 64, memoryMiB: 1024, kernel: '6.1' };

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-nodes-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a fingerprint names the node, and is another when anything about it is', (t) => {
  t.regex(fingerprintOf(NODE), /^n1-[0-9a-f]{8}$/);
  const others = [
    { ...NODE, name: 'n2' },
    { ...NODE, cpuModel: 'B' },
    { ...NODE, microcode: '0x1' },
    { ...NODE, cores: 32 },
    { ...NODE, memoryMiB: 2048 },
    { ...NODE, kernel: '6.2' },
  ];
  t.is(new Set([NODE, ...others].map(fingerprintOf)).size, 1 + others.length);
});

test('this host is described as it is, the same each time', async (t) => {
  const node = await ownNode();
  t.is(node.name, hostname());
  t.is(node.kernel, release());
  t.true(node.cores > 0 && node.memoryMiB > 0);
  t.is(fingerprintOf(await ownNode()), fingerprintOf(node));
});

test('nodes of a run are added up; one that is known is not written again', async (t) => {
  const folder = scratch(t);
  t.deepEqual(await readNodes(folder), {});
  const other = { ...NODE, name: 'n2' };
  await addNodes(folder, { [fingerprintOf(NODE)]: NODE });
  await addNodes(folder, { [fingerprintOf(other)]: other });
  const text = readFileSync(join(folder, 'nodes.json'), 'utf8');
  await addNodes(folder, { [fingerprintOf(NODE)]: NODE });
  t.is(readFileSync(join(folder, 'nodes.json'), 'utf8'), text);
  t.deepEqual(await readNodes(folder), { [fingerprintOf(NODE)]: NODE, [fingerprintOf(other)]: other });
});

test('a file that names no nodes is an error that names it', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'nodes.json'), '{"n1-00000000": {"name": "n1"}}');
  await t.throwsAsync(readNodes(folder), { message: /nodes\.json: does not name nodes\. Restore/ });
});
