// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { narrowEnough } from '../../../analysis/stopping/narrow-enough.ts';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { shortDigest } from '../../core/ids.ts';
import { looksOf } from '../../core/looks.ts';
import type { Spec } from '../../core/spec.ts';
import { openRun, readRun } from '../../store/run-folder.ts';
import { type MergeEnd, type MergeOptions, mergeRuns } from './merge-runs.ts';
import { MERGED_SPEC, type PartScene, runPart, STEADY } from './scene.ts';

/** Folders for parts and merged runs; a run's id is the name of its folder. */
class Bench {
  readonly root = mkdtempSync(join(tmpdir(), 'pmvx-merge-'));
  #count = 0;

  constructor(t: ExecutionContext) {
    t.teardown(() => rmSync(this.root, { recursive: true, force: true }));
  }

  part(name: string, scene: PartScene = {}): Promise<string> {
    return runPart(join(this.root, 'parts', name), scene);
  }

  /** One part for each host. */
  shards(of: number, scene: PartScene = {}): Promise<string[]> {
    const nodes = Array.from({ length: of }, (_, at) => at + 1);
    return Promise.all(
      nodes.map((index) =>
        this.part(`s${index}`, { shard: { index, of }, node: { name: `n${index}` }, ...scene }),
      ),
    );
  }

  /** A place of its own for one more run called `run`. */
  place(): string {
    return join(this.root, `out-${++this.#count}`, 'run');
  }
}

function merge(folders: readonly string[], out: string, more: Partial<MergeOptions> = {}): Promise<MergeEnd> {
  return mergeRuns(folders, out, { enough: narrowEnough, ...more });
}

/** Every file below a folder with a digest of its bytes. */
function bytesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const paths = names.map((each) => join(each.parentPath, each.name)).sort();
  return Object.fromEntries(paths.map((path) => [relative(folder, path), shortDigest(readFileSync(path))]));
}

async function refusal(t: ExecutionContext, promise: Promise<unknown>): Promise<PmvxError> {
  return (await t.throwsAsync(promise, { instanceOf: PmvxError })) as PmvxError;
}

test('shards are the one run, to the byte, in whatever order and steps they are merged, and again', async (t) => {
  const bench = new Bench(t);
  const whole = await runPart(bench.place());
  const [a, b, c] = (await bench.shards(3)) as [string, string, string];
  const first = bench.place();
  t.deepEqual(await merge([a, b, c], first), { planned: 15, recorded: 15, missing: [], notices: [] });
  t.is(readFileSync(join(first, 'trials.csv'), 'utf8'), readFileSync(join(whole, 'trials.csv'), 'utf8'));
  for (const name of ['spec.json', 'plan.json']) {
    t.is(readFileSync(join(first, name), 'utf8'), readFileSync(join(whole, name), 'utf8'), name);
  }
  const bytes = bytesOf(first);
  t.true(Object.keys(bytes).some((name) => name.startsWith('consoles/')));

  const steps = bench.place();
  t.is((await merge([c], steps)).missing.length, 12);
  t.is((await merge([a, c], steps)).missing.length, 6);
  await merge([b], steps);
  t.deepEqual(bytesOf(steps), bytes);
  await merge([b, steps, a], steps);
  t.deepEqual(bytesOf(steps), bytes);
  const around = bench.place();
  await merge([steps, b], around);
  t.deepEqual(bytesOf(around), bytes);
  t.deepEqual(readdirSync(join(around, '..')), ['run'], 'nothing is left beside it');
});

test('a merged run is read and gone on with like any other, and knows all its nodes and parts', async (t) => {
  const bench = new Bench(t);
  const [a] = await bench.shards(2);
  const out = bench.place();
  await merge([a as string], out);
  const read = await readRun(out);
  t.is(read.records.length, 9);
  t.true(read.records.every(({ run }) => run === 'run'));
  t.deepEqual(
    read.provenance.parts?.map(({ run, shard }) => [run, shard]),
    [['s1', { index: 1, of: 2 }]],
  );
  t.is(read.provenance.seeds.blocks?.length, 5);
  t.is(statSync(out).mode & 0o777, statSync(a as string).mode & 0o777);
  await runPart(out, { node: { name: 'n9' } });
  const again = await openRun(out);
  t.is(again.log.records.length, 15);
  t.deepEqual(again.notices, []);
  await again.close();
  const names = new Set((await readRun(out)).records.map(({ host }) => host.fingerprint?.slice(0, 2)));
  t.deepEqual(names, new Set(['n1', 'n9']));
});

test('a trial that several hosts measured with one result counts once, whichever comes first', async (t) => {
  const bench = new Bench(t);
  const shard = { index: 1, of: 2 };
  const a = await bench.part('a', { shard });
  const b = await bench.part('b', { shard, node: { name: 'n2' } });
  const [there, back] = [bench.place(), bench.place()];
  const end = await merge([a, b], there);
  t.deepEqual(end.notices, ['9 trials were measured more than once, each with the same result']);
  await merge([b, a], back);
  t.deepEqual(bytesOf(there), bytesOf(back));
});

test('two results of one trial on a deterministic engine stop everything: nothing is written', async (t) => {
  const bench = new Bench(t);
  const shard = { index: 1, of: 2 };
  const a = await bench.part('a', { shard });
  const b = await bench.part('b', {
    shard,
    node: { name: 'n2' },
    script: (orders, machine) => {
      const behaviour = STEADY(orders, machine);
      const odd = orders.trial === '0002' && behaviour.kind === 'run';
      return odd ? { ...behaviour, output: 'Time: 9\n' } : behaviour;
    },
  });
  const out = bench.place();
  for (const parts of [
    [a, b],
    [b, a],
  ]) {
    const error = await refusal(t, merge(parts, out));
    t.is(error.code, ExitCode.image);
    t.regex(error.message, /block 0, hackbench loops=60 under \w+ .*has two results, [ab]\/0002 on n[12]-/);
    t.regex(error.message, /output was "Time: /);
    t.regex(error.message, /on mock a trial has one result on every host: the lab is broken, and no claim/);
  }
  t.false(existsSync(out));
});

test('what a host cut short gives way to a result, and is no contradiction', async (t) => {
  const bench = new Bench(t);
  const shard = { index: 1, of: 2 };
  const lost = await bench.part('lost', {
    shard,
    script: () => ({ kind: 'die', cause: 'killed by SIGKILL' }),
  });
  const slow = await bench.part('slow', { shard, script: () => ({ kind: 'deadline' }) });
  const good = await bench.part('good', { shard });
  for (const parts of [
    [lost, slow, good],
    [good, lost, slow],
  ]) {
    const out = bench.place();
    const { notices } = await merge(parts, out);
    t.deepEqual(notices, [], 'what was cut short was not measured twice');
    t.deepEqual(new Set((await readRun(out)).records.map(({ state }) => state)), new Set(['completed']));
  }
  const out = bench.place();
  await merge([slow, lost], out);
  const back = bench.place();
  await merge([lost, slow], back);
  t.deepEqual(bytesOf(out), bytesOf(back));
});

test('in real time two measurements of one trial are refused: which counts cannot be chosen afterwards', async (t) => {
  const bench = new Bench(t);
  const spec: Spec = { ...MERGED_SPEC, machine: { ...MERGED_SPEC.machine, engine: 'kvm' } };
  const a = await bench.part('a', { spec });
  const b = await bench.part('b', { spec, node: { name: 'n2' } });
  const error = await refusal(t, merge([a, b], bench.place()));
  t.is(error.code, ExitCode.usage);
  t.regex(error.message, /was measured twice \(a\/(\d{4}) on n1-\w+, b\/\1 on n2-\w+\)/);
  const out = bench.place();
  await merge([a], out);
  await merge([a, out], out);
  t.is((await readRun(out)).records.length, 15, 'the same record once more is none of these');
});

const OTHERS: readonly (readonly [what: string, scene: PartScene, words: RegExp])[] = [
  [
    'spec',
    { spec: { ...MERGED_SPEC, seeds: { base: 8, count: 5 } } },
    /b has another spec than a \(seeds\.base was 7, is 8\)/,
  ],
  [
    'image',
    { provenance: { image: { digests: { kernel: 'k', root: 'q' } } } },
    /another image than a \(root was "r", is "q"\)/,
  ],
  [
    'definitions',
    { provenance: { definitions: 'e' } },
    /another definitions than a \(definitions was "d", is "e"\)/,
  ],
  [
    'version',
    { provenance: { pmvx: { version: '0.1.0', commit: 'bb' } } },
    /another version of pmvx than a \(commit was "aa", is "bb"\)/,
  ],
];

for (const [what, scene, words] of OTHERS) {
  test(`runs that differ in their ${what} are refused unless told`, async (t) => {
    const bench = new Bench(t);
    const a = await bench.part('a', { shard: { index: 1, of: 2 } });
    const b = await bench.part('b', { shard: { index: 2, of: 2 }, ...scene });
    const error = await refusal(t, merge([a, b], bench.place()));
    t.is(error.code, ExitCode.usage);
    t.regex(error.message, words);
    t.regex(error.message, /Leave one of them out, or give --mixed/);
    if (what === 'spec') return;
    const out = bench.place();
    const { recorded, notices } = await merge([a, b], out, { mixed: true });
    t.is(recorded, 15);
    t.regex(notices.join('\n'), /^mixed: b has another/);
    const [first, second] = (await readRun(out)).provenance.parts ?? [];
    t.notDeepEqual({ ...first, run: '', shard: '' }, { ...second, run: '', shard: '' });
  });
}

test('hosts of different processors are one lab on a deterministic engine, and two in real time', async (t) => {
  const bench = new Bench(t);
  const node = { name: 'n2', cpuModel: 'B' };
  for (const engine of ['mock', 'kvm'] as const) {
    const spec = { ...MERGED_SPEC, machine: { ...MERGED_SPEC.machine, engine } };
    const a = await bench.part(`${engine}-a`, { spec, shard: { index: 1, of: 2 } });
    const b = await bench.part(`${engine}-b`, { spec, shard: { index: 2, of: 2 }, node });
    if (engine === 'mock') await t.notThrowsAsync(merge([a, b], bench.place()));
    else
      t.regex(
        (await refusal(t, merge([a, b], bench.place()))).message,
        /another hosts than kvm-a .*in real time/,
      );
  }
});

test('more blocks of the same seeds are merged when told, and strangers are not', async (t) => {
  const bench = new Bench(t);
  const short = await bench.part('short', { spec: { ...MERGED_SPEC, seeds: { base: 7, count: 3 } } });
  const long = await bench.part('long', { without: (trial) => trial <= '0009' });
  const out = bench.place();
  t.is((await merge([short, long], out, { mixed: true })).recorded, 15);
  const whole = await runPart(bench.place());
  t.is(readFileSync(join(out, 'trials.csv'), 'utf8'), readFileSync(join(whole, 'trials.csv'), 'utf8'));
  const strange = await bench.part('strange', { spec: { ...MERGED_SPEC, seeds: { base: 8, count: 2 } } });
  const error = await refusal(t, merge([short, strange], bench.place(), { mixed: true }));
  t.regex(error.message, /strange: trial 0001 is not in the plan that the runs have together/);
});

test('the rule for stopping early holds for all blocks together, as in one run', async (t) => {
  const bench = new Bench(t);
  const spec: Spec = {
    ...MERGED_SPEC,
    controls: [],
    seeds: { base: 7, count: 9 },
    stop: { rule: 'width', width: 1.7, minBlocks: 3 },
  };
  const [a, b] = (await bench.shards(2, { spec })) as [string, string];
  const { records } = await readRun(await runPart(bench.place(), { spec }));
  const looks = looksOf(spec);
  const expected = looks.find((look) =>
    narrowEnough(
      spec,
      records.filter(({ block }) => block < look),
    ),
  );
  t.true(expected !== undefined && expected > 3 && expected < 9, 'neither the first look nor the last');

  const out = bench.place();
  const half = await merge([a], out);
  t.is(half.enough, undefined, 'nobody knows before all blocks of a look are there');
  t.is(half.recorded, 10);
  const due = 2 * (expected as number);
  t.deepEqual(await merge([b], out), {
    planned: due,
    recorded: due,
    missing: [],
    enough: expected as number,
    notices: [],
  });
  t.is((await readRun(out)).plan.trials.length, due);
  const at = bench.place();
  await merge([b, a], at);
  t.deepEqual(bytesOf(at), bytesOf(out));
});

test('a merge stops at the first interim analysis that is enough, and asks none at the end', async (t) => {
  const bench = new Bench(t);
  const spec: Spec = {
    ...MERGED_SPEC,
    seeds: { base: 7, count: 9 },
    stop: { rule: 'width', width: 1.7, minBlocks: 3 },
  };
  const parts = await bench.shards(2, { spec });
  const asked: number[] = [];
  const enough: MergeOptions['enough'] = (_, records) => {
    asked.push(records.length);
    return false;
  };
  t.is((await merge(parts, bench.place(), { enough })).enough, undefined);
  // 3, 5 and 8 of 9 blocks, of three trials each.
  t.deepEqual(asked, [9, 15, 24]);
  const end = await merge(parts, bench.place(), { enough: () => true });
  t.like(end, { enough: 3, planned: 9, recorded: 9 });
});

test('what is not enough any more is not said to be: the merged run goes on', async (t) => {
  const bench = new Bench(t);
  const spec: Spec = {
    ...MERGED_SPEC,
    seeds: { base: 7, count: 9 },
    stop: { rule: 'width', width: 1.7, minBlocks: 3 },
  };
  const parts = await bench.shards(2, { spec });
  const out = bench.place();
  await merge(parts, out, { enough: () => true });
  t.true(existsSync(join(out, 'stop.json')));
  t.is((await merge(parts, out, { enough: () => false })).recorded, 27);
  t.false(existsSync(join(out, 'stop.json')));
  t.is((await readRun(out)).plan.trials.length, 27);
});

test('only a merged run takes in more', async (t) => {
  const bench = new Bench(t);
  const [a, b] = (await bench.shards(2)) as [string, string];
  t.regex(
    (await refusal(t, merge([a], b))).message,
    /is there, and is no merged run\. Give a new folder with --out$/,
  );
  const out = bench.place();
  await merge([a], out);
  const run = await openRun(out);
  t.regex((await refusal(t, merge([b], out))).message, /the run is in use by process/);
  await run.close();
});

test('killed between any two of its files, a merge that is repeated ends with the same bytes', async (t) => {
  const bench = new Bench(t);
  const [a, b] = (await bench.shards(2)) as [string, string];
  const out = bench.place();
  await merge([a, b], out);
  const whole = bytesOf(out);
  const older = bench.place();
  await merge([a], older);
  // In the order in which a merge writes them.
  const order = ['sums.json', 'provenance.json', 'nodes.json', 'trials.jsonl', 'trials.csv'];
  const before = order.map((name) => readFileSync(join(older, name)));
  const after = order.map((name) => readFileSync(join(out, name)));
  for (let written = 0; written <= order.length; written++) {
    for (const [at, name] of order.entries()) {
      writeFileSync(join(older, name), (at < written ? after[at] : before[at]) as Buffer);
    }
    await merge([a, b], older);
    t.deepEqual(bytesOf(older), whole, `killed after ${written} files`);
  }
});
