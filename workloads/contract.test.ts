// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { commandFor } from '../harness/core/command.ts';
import { extractMetrics } from '../harness/core/extract.ts';
import { loadCatalog } from '../harness/core/load-catalog.ts';
import { defaultParameters, type Parameter } from '../harness/core/parameters.ts';
import { deriveSeed, type Seed } from '../harness/core/seed.ts';
import type { ParameterValues, Workload } from '../harness/core/workload.ts';

const ROOT = join(import.meta.dirname, '..');
const catalog = await loadCatalog(ROOT);
const seed = deriveSeed(7, 'contract');

/** Where the guest keeps what is in the workloads' folders `guest/`. */
const FILES = '/opt/pmvx/files';

/** Every parameter at one end of its range, or at each of its choices. */
function extremes(parameter: Parameter): (string | number)[] {
  return parameter.type === 'int' ? [parameter.min, parameter.max] : parameter.values;
}

function samples(id: string): string[] {
  const names = readdirSync(join(ROOT, 'workloads', id, 'samples'));
  return names.flatMap((name) => (name.endsWith('.txt') ? [name.slice(0, -'.txt'.length)] : [])).sort();
}

function sample(id: string, name: string): { readonly output: string; readonly expected: unknown } {
  const path = join(ROOT, 'workloads', id, 'samples', name);
  return {
    output: readFileSync(`${path}.txt`, 'utf8'),
    expected: JSON.parse(readFileSync(`${path}.json`, 'utf8')),
  };
}

for (const { id, definition } of catalog.workloads.values()) {
  for (const name of samples(id)) {
    const bad = name.startsWith('bad-');
    test(`${id}: ${name} ${bad ? 'is no result, and says why' : 'gives the metrics that a reader sees in it'}`, (t) => {
      const { output, expected } = sample(id, name);
      const read = extractMetrics(definition, output);
      t.is(read.ok, !bad);
      const seen = read.ok
        ? Object.fromEntries(read.metrics.map((metric) => [metric.name, metric.value]))
        : { reason: read.reason };
      t.deepEqual(seen, expected as typeof seen);
    });
  }

  test(`${id}: there are samples of good and of bad output`, (t) => {
    t.true(samples(id).some((name) => !name.startsWith('bad-')));
    t.true(samples(id).some((name) => name.startsWith('bad-')));
  });

  test(`${id}: every legal parameter gives a complete argument vector`, (t) => {
    const workload = { id, definition };
    const usual = defaultParameters(definition);
    const sets = Object.entries(definition.params).flatMap(([name, parameter]) =>
      extremes(parameter).map((value): ParameterValues => ({ ...usual, [name]: value })),
    );
    const real: ParameterValues = { ...usual, ...definition.kvm };
    const vectors = [usual, ...sets, real].map((params) => commandFor(workload, params, seed));
    for (const { run, warmup = [] } of vectors) {
      t.regex(run[0] ?? '', /^\//);
      t.notRegex([...run, ...warmup].join(' '), /[${}]|undefined/);
    }
    const distinct = new Set(vectors.slice(0, -1).map(({ run }) => run.join(' ')));
    // Each value but the default itself changes the command.
    const defaults = sets.filter((params) =>
      Object.entries(usual).every(([name, value]) => params[name] === value),
    );
    t.is(distinct.size, 1 + sets.length - defaults.length);
  });

  test(`${id}: the files that it names are its own and are there`, (t) => {
    const { run, warmup = [] } = commandFor({ id, definition }, defaultParameters(definition), seed);
    const named = [...run, ...warmup].filter((argument) => argument.startsWith(`${FILES}/`));
    const missing = named.filter((argument) => {
      const [, own, inside] = /^([^/]+)\/(.+)$/.exec(argument.slice(FILES.length + 1)) ?? [];
      return own !== id || inside === undefined || !existsSync(join(ROOT, 'workloads', id, 'guest', inside));
    });
    t.deepEqual(missing, []);
    t.true(definition.servers.every(({ argv: [program] }) => /^\/\S+$/.test(String(program))));
  });

  test(`${id}: no metric is the length of a run whose length is fixed`, (t) => {
    const names = Object.keys(definition.params).join(' ');
    t.notRegex(names, /duration|seconds|runtime/);
  });

  if (definition.source === 'driver') testDriver({ id, definition });
}

/** The sizes of the warm-up, so that a run takes milliseconds. */
function small(workload: Workload): ParameterValues {
  const usual = defaultParameters(workload.definition);
  return { ...usual, ...workload.definition.warmup };
}

function testDriver(workload: Workload): void {
  const { id, definition } = workload;
  const source = join(ROOT, 'workloads', id, `${id}.c`);

  test.serial(`${id}: the driver compiles without a warning and prints exactly its metrics`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'pmvx-driver-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const program = join(folder, id);
    const strict = ['-std=c11', '-O2', '-static', '-pthread', '-Wall', '-Wextra', '-Werror'];
    await execa('gcc', [...strict, '-o', program, source]);

    const runWith = async (runSeed: number): Promise<string> => {
      const [, ...args] = commandFor(workload, small(workload), runSeed as Seed).run;
      return (await execa(program, args, { stripFinalNewline: false, timeout: 60_000 })).stdout;
    };
    const outputs = [await runWith(seed), await runWith(seed), await runWith(deriveSeed(8, 'contract'))];
    const declared = Object.entries(definition.metrics).map(([name, { unit }]) => `${name} ${unit}`);
    for (const output of outputs) {
      const read = extractMetrics(definition, output);
      t.true(read.ok, read.ok ? '' : read.reason);
      const printed = output
        .trimEnd()
        .split('\n')
        .filter((line) => !/^\w+_hist /.test(line))
        .map((line) => line.replace(/^(\S+) \S+ (\S+)$/, '$1 $2'));
      t.deepEqual(printed.sort(), [...declared, 'work_digest hex'].sort());
    }

    const [first, again, other] = outputs.map(
      (output) => /^work_digest ([0-9a-f]{16}) hex$/m.exec(output)?.[1],
    );
    t.truthy(first);
    t.is(again, first, 'the same seed is the same work');
    t.not(other, first, 'another seed is other work');

    const { run } = commandFor(workload, small(workload), seed);
    const nonsense = [
      [],
      ['--bogus'],
      [...run.slice(1), 'extra'],
      run.slice(1, -1),
      [...run.slice(1, -1), '0'],
      [...run.slice(1, -1), '7x'],
    ];
    for (const args of nonsense) {
      const refused = await execa(program, args, { reject: false, timeout: 60_000 });
      t.is(refused.exitCode, 2, args.join(' '));
      t.is(refused.stdout, '');
      t.regex(refused.stderr, new RegExp(`^${id}: .+\\nusage: ${id} `));
    }
  });
}
