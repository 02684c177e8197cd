// SPDX-License-Identifier: Apache-2.0
// A workload and policies that somebody adds as the README says: new folders in a copy of the project and no other file, then real trials.
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import type { Catalog } from '../../core/catalog.ts';
import { loadCatalog } from '../../core/load-catalog.ts';
import { defaultParameters } from '../../core/parameters.ts';
import type { Policy } from '../../core/policy.ts';
import type { Workload } from '../../core/workload.ts';
import { imageFolder, requireImage } from '../../lab/image.ts';
import { cacheFolder, filesBelow } from '../../lab/image-files.ts';
import { defaultHostDeadlineMs, vmEngine } from '../../lab/vm-engine.ts';
import { ROOT, runOne, smallMachine, type TrialEnd } from './stage.ts';
import { SLOTS, withSlots } from './vm-slots.ts';

const PARTS = ['harness', 'analysis', 'bpf', 'workloads', 'vm-images', 'paper-figs', 'package.json', 'pmvx'];
const STALL = 'made-up-stall';

const scratch = await mkdtemp(join(tmpdir(), 'pmvx-added-'));
const copy = join(scratch, 'project');
const cache = cacheFolder(process.env);

let catalog: Catalog;
let before: ReadonlyMap<string, string>;
let after: ReadonlyMap<string, string>;

/** SHA-256 of every file that the definitions, the code and the recipes consist of, by path. */
async function digests(): Promise<ReadonlyMap<string, string>> {
  const paths = (await filesBelow(copy)).filter((path) => !path.startsWith('node_modules'));
  const digest = async (path: string) =>
    createHash('sha256')
      .update(await readFile(join(copy, path)))
      .digest('hex');
  return new Map(await Promise.all(paths.map(async (path) => [path, await digest(path)] as const)));
}

function pmvx(...args: string[]) {
  return execa(process.execPath, [join(copy, 'harness/cli.ts'), ...args], {
    cwd: copy,
    all: true,
    stdin: 'ignore',
  });
}

test.before(async () => {
  for (const part of PARTS) {
    await cp(join(ROOT, part), join(copy, part), {
      recursive: true,
      filter: (path) => basename(path) !== 'node_modules',
    });
  }
  before = await digests();
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await pmvx('new', 'workload', 'made-up');
  await pmvx('new', 'policy', 'made-up-fifo', '--kind', 'struct_ops');
  await cp(join(ROOT, 'bpf/made-up', STALL), join(copy, 'bpf/policies', STALL), { recursive: true });
  after = await digests();
  catalog = await loadCatalog(copy);
  await withSlots(SLOTS, () => pmvx('image', 'build', 'quick'));
});

test.after.always(async () => {
  // Nobody asks for this image again.
  if (catalog !== undefined)
    await rm(await imageFolder(copy, cache, 'quick'), { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
});

function trialOf(id: string): Promise<TrialEnd> {
  const workload = catalog.workloads.get('made-up') as Workload;
  return withSlots(1, async () =>
    runOne({
      engine: vmEngine('exact', await requireImage(copy, cache, 'quick'), {
        hostDeadlineMs: defaultHostDeadlineMs,
      }),
      machine: smallMachine(4),
      policy: catalog.policies.get(id) as Policy,
      workload,
      params: defaultParameters(workload.definition),
      consoles: join(scratch, id),
    }),
  );
}

test('a workload and a policy are a folder each: nothing else is new, nothing is changed, and lint is content', async (t) => {
  const added = [...after.keys()].filter((path) => !before.has(path));
  t.true(added.length >= 5);
  for (const path of added) t.regex(path, /^(workloads\/made-up|bpf\/policies\/made-up-(fifo|stall))\//);
  for (const [path, digest] of before) t.is(after.get(path), digest, path);
  for (const name of ['made-up', 'made-up-fifo', STALL]) {
    const { all } = await pmvx('lint', name);
    t.notRegex(all, /^FAULT/m);
    t.regex(all, new RegExp(`^ok    ${name}: `, 'm'));
  }
});

test('the added workload is measured under the added scheduler, which the kernel names', async (t) => {
  const { record } = await trialOf('made-up-fifo');
  if (record.state !== 'completed') return t.fail(JSON.stringify(record));
  t.deepEqual([record.schedBefore?.ops, record.schedAfter?.ops], ['made_up_fifo', 'made_up_fifo']);
  t.deepEqual(
    record.metrics.map(({ name }) => name),
    ['time'],
  );
  t.true((record.metrics[0]?.value ?? 0) > 0);
});

test("an added scheduler that stalls the kernel's watchdog is ejected and never measured", async (t) => {
  const { record } = await trialOf(STALL);
  if (record.state !== 'ejected') return t.fail(JSON.stringify(record));
  t.false('metrics' in record);
  t.is(record.schedBefore?.ops, 'made_up_stall');
  t.regex(record.reason, /runnable task stall/);
  t.regex(record.schedulerExit?.reason ?? '', /stall/);
});
