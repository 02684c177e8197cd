// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { commandFor } from '../core/command.ts';
import { extractMetrics } from '../core/extract.ts';
import { pathOfFile } from '../core/file-parameter.ts';
import { defaultParameters } from '../core/parameters.ts';
import { deriveSeed, type Seed } from '../core/seed.ts';
import type { Workload } from '../core/workload.ts';
import { type Check, checked } from './check.ts';

const STRICT = ['-std=c11', '-O2', '-static', '-pthread', '-Wall', '-Wextra', '-Werror'];
const LIMIT_MS = 60_000;

/** Runs a driver with a list of arguments; never throws for what the driver does. */
type Run = (args: readonly string[]) => Promise<{ stdout: string; stderr: string; exitCode?: number }>;

/**
 * Builds a workload's driver (`source: driver`) as the image does and runs it on this machine with the sizes of its warm-up: it prints
 * exactly its metrics and `work_digest`, its work follows the seed and nothing else, and it refuses bad arguments. Needs gcc and libc's
 * static library.
 */
export async function checkDriver(root: string, workload: Workload): Promise<Check[]> {
  const { id, definition } = workload;
  if (definition.source !== 'driver') return [];
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-driver-'));
  try {
    const program = join(folder, id);
    const built = await execa('gcc', [...STRICT, '-o', program, join(root, 'workloads', id, `${id}.c`)], {
      reject: false,
    });
    const what = 'its driver compiles without a warning';
    if (built.exitCode !== 0) return [checked(what, [built.stderr || built.message || 'gcc failed'])];
    const run: Run = (args) =>
      execa(program, args, { reject: false, stripFinalNewline: false, timeout: LIMIT_MS });
    return [{ what }, ...(await checkRuns(workload, run)), await checkRefusals(workload, run)];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Arguments for a run of milliseconds. */
function small(workload: Workload, seed: Seed): string[] {
  const params = { ...defaultParameters(workload.definition), ...workload.definition.warmup };
  const { run, files = [] } = commandFor(workload, params, seed);
  return run.slice(1).map((argument) => {
    const file = files.find(({ path }) => path === argument);
    return file === undefined ? argument : pathOfFile(file.value);
  });
}

async function checkRuns(workload: Workload, run: Run): Promise<Check[]> {
  const [one, other] = [deriveSeed(7, 'contract'), deriveSeed(8, 'contract')];
  const outputs: string[] = [];
  for (const seed of [one, one, other]) outputs.push((await run(small(workload, seed))).stdout);
  const digests = outputs.map((output) => /^work_digest ([0-9a-f]{16}) hex$/m.exec(output)?.[1]);
  const [first, again, another] = digests;
  return [
    checked('its driver prints exactly its metrics and work_digest', [
      ...new Set(outputs.flatMap((output) => misprints(workload, output))),
    ]),
    checked(
      'the same seed is the same work',
      first !== undefined && first === again ? [] : [`${first}, then ${again}`],
    ),
    checked('another seed is other work', first === another ? [`both ${first}`] : []),
  ];
}

/** What is wrong with a driver's output: a metric that cannot be read, a line too many or too few. */
function misprints({ definition }: Workload, output: string): string[] {
  const read = extractMetrics(definition, output);
  const declared = Object.entries(definition.metrics).map(([name, { unit }]) => `${name} ${unit}`);
  const printed = output
    .trimEnd()
    .split('\n')
    .filter((line) => !/^\w+_hist /.test(line))
    .map((line) => line.replace(/^(\S+) \S+ (\S+)$/, '$1 $2'));
  const [wanted, seen] = [[...declared, 'work_digest hex'].sort().join(', '), printed.sort().join(', ')];
  return [
    ...(read.ok ? [] : [read.reason]),
    ...(seen === wanted ? [] : [`printed ${seen}; expected ${wanted}`]),
  ];
}

async function checkRefusals(workload: Workload, run: Run): Promise<Check> {
  const good = small(workload, deriveSeed(7, 'contract'));
  const but = good.slice(0, -1);
  const nonsense = [[], ['--bogus'], [...good, 'extra'], but, [...but, '0'], [...but, '7x']];
  const { id } = workload;
  const words = new RegExp(`^${id}: .+\\nusage: ${id} `);
  const faults: string[] = [];
  for (const args of nonsense) {
    const { exitCode, stdout, stderr } = await run(args);
    if (exitCode !== 2 || stdout !== '' || !words.test(stderr))
      faults.push(`${JSON.stringify(args.join(' '))} gave status ${exitCode} and ${JSON.stringify(stderr)}`);
  }
  return checked('its driver refuses bad arguments with one line and its usage', faults);
}
