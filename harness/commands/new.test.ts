// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { commandFor } from '../core/command.ts';
import { ExitCode } from '../core/errors.ts';
import { extractMetrics } from '../core/extract.ts';
import { loadCatalog } from '../core/load-catalog.ts';
import { defaultParameters } from '../core/parameters.ts';
import { deriveSeed } from '../core/seed.ts';
import type { Workload } from '../core/workload.ts';
import { parseSpec } from '../spec/parse-spec.ts';
import type { CommandContext } from './context.ts';
import { lintCommand } from './lint.ts';
import { newCommand } from './new.ts';

async function project(t: ExecutionContext) {
  const root = await mkdtemp(join(tmpdir(), 'pmvx-new-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const folder of ['workloads', 'bpf/policies', 'harness/experiments'])
    await mkdir(join(root, folder), { recursive: true });
  const lines: string[] = [];
  const context: CommandContext = {
    root,
    write: (line) => void lines.push(line),
    warn: (line) => void lines.push(line),
    catalog: () => loadCatalog(root),
    signal: new AbortController().signal,
    isTTY: false,
    env: {},
  };
  const make = (what: string, name: string, kind?: string) =>
    newCommand({ what, name, ...(kind === undefined ? {} : { kind }) }, context);
  return { root, lines, context, make };
}

test('a new workload and new policies load, pass lint, and are nothing but their own folders', async (t) => {
  const { root, lines, context, make } = await project(t);
  await make('workload', 'mine');
  await make('policy', 'own-one', 'struct_ops');
  await make('policy', 'scx_layered', 'process');
  await make('policy', 'slice', 'knob');
  t.deepEqual(await readdir(join(root, 'workloads')), ['mine']);
  t.deepEqual((await readdir(join(root, 'bpf/policies'))).sort(), ['own-one', 'scx_layered', 'slice']);
  lines.length = 0;
  t.is(await lintCommand({}, context), ExitCode.ok, lines.join('\n'));
  t.true(lines.every((line) => line.startsWith('ok ')));
  t.true(lines.includes('ok    mine: sample default'));
});

test("a new workload's program runs, repeats with its seed, and its output is what the contract says", async (t) => {
  const { root, make } = await project(t);
  await make('workload', 'mine');
  await make('policy', 'slice', 'knob');
  const workload = (await loadCatalog(root)).workloads.get('mine') as Workload;
  const run = async (seed: number): Promise<string> => {
    const { run: argv } = commandFor(workload, defaultParameters(workload.definition), deriveSeed(seed, 0));
    const here = argv.map((each) => each.replace('/opt/pmvx/files/mine', join(root, 'workloads/mine/guest')));
    return (await execa(here[0] as string, here.slice(1), { stripFinalNewline: false })).stdout;
  };
  const [one, again, other] = [await run(1), await run(1), await run(2)];
  t.true(extractMetrics(workload.definition, one).ok);
  const digest = (output: string) => /^digest (\w{16})$/m.exec(output)?.[1];
  t.truthy(digest(one));
  t.is(digest(again), digest(one));
  t.not(digest(other), digest(one));
});

test('a new scheduler names itself as its policy says', async (t) => {
  const { root, make } = await project(t);
  await make('policy', 'own-one', 'struct_ops');
  const source = await readFile(join(root, 'bpf/policies/own-one/own-one.bpf.c'), 'utf8');
  t.regex(source, /\.name = "own_one"/);
  t.regex(await readFile(join(root, 'bpf/policies/own-one/policy.yaml'), 'utf8'), /^ops: "own_one"$/m);
});

test('a new experiment is valid with the policies and workloads that ship', async (t) => {
  const { root, make } = await project(t);
  await make('experiment', 'first');
  const text = await readFile(join(root, 'harness/experiments/first.yaml'), 'utf8');
  const shipped = await loadCatalog(join(import.meta.dirname, '../..'));
  const spec = parseSpec(text, 'first.yaml', shipped);
  t.is(spec.name, 'first');
});

test('what is there is not overwritten, and bad words make nothing', async (t) => {
  const { root, make } = await project(t);
  await make('workload', 'mine');
  await t.throwsAsync(make('workload', 'mine'), { message: /it is there already/ });
  await t.throwsAsync(make('workload', 'My Nginx'), { message: /lower-case letters/ });
  await t.throwsAsync(make('workload', '../out'), { message: /lower-case letters/ });
  await t.throwsAsync(make('policy', 'mine'), { message: /needs a kind/ });
  await t.throwsAsync(make('policy', 'mine', 'magic'), { message: /no kind "magic"/ });
  await t.throwsAsync(make('policy', 'layered', 'process'), { message: /name of its package/ });
  await t.throwsAsync(make('workloud', 'mine'), { message: /Did you mean workload/ });
  t.deepEqual(await readdir(join(root, 'bpf/policies')), []);
  t.deepEqual(await readdir(join(root, 'workloads')), ['mine']);
});

test('lint names a sample that reads otherwise than expected, and a file that is not there', async (t) => {
  const { root, lines, context, make } = await project(t);
  await make('workload', 'mine');
  await make('policy', 'slice', 'knob');
  await writeFile(join(root, 'workloads/mine/samples/default.txt'), 'time 9.5 s\n');
  await rm(join(root, 'workloads/mine/guest/run.sh'));
  lines.length = 0;
  t.is(await lintCommand({ name: 'mine' }, context), ExitCode.usage);
  t.true(lines.some((line) => /^FAULT mine: sample default: read \{"time":9.5\}, expected/.test(line)));
  t.true(
    lines.some((line) =>
      /^FAULT mine: the files that it names are its own.*run\.sh: there is no workloads\/mine/.test(line),
    ),
  );
  await t.throwsAsync(lintCommand({ name: 'mime' }, context), { message: /Did you mean mine/ });
});
