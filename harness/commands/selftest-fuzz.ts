// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatCsv } from '../core/csv.ts';
import { ExitCode } from '../core/errors.ts';
import { shortDigest } from '../core/ids.ts';
import { allTargets } from '../selftest/fuzz/all-targets.ts';
import { type FuzzReport, fuzz } from '../selftest/fuzz/fuzz.ts';
import { writeAtomic } from '../store/atomic-write.ts';
import type { CommandContext } from './context.ts';

export interface FuzzArgs {
  readonly fuzz: number;
  readonly seed: number;
  readonly out?: string;
}

/** Inputs that were the first of their outcome, one line of base64 each: kept with the code, so that each campaign begins where the last ended. */
const CORPUS = 'harness/selftest/fuzz/corpus';
/** Of each target so many are kept, the shortest, and none that is longer. */
const MOST_KEPT = 100;
const LONGEST_KEPT = 2048;

/** `pmvx selftest --fuzz N`: gives everything that reads what others wrote N inputs made from real ones. */
export async function fuzzCommand(
  { fuzz: inputs, seed, out }: FuzzArgs,
  context: CommandContext,
): Promise<ExitCode> {
  const reports: FuzzReport[] = [];
  for (const { target, share } of await allTargets(context.root)) {
    const report = await fuzz(target, {
      seed,
      inputs: Math.ceil(inputs * share),
      corpus: await corpusOf(context.root, target.name),
      signal: context.signal,
    });
    reports.push(report);
    context.write(`${target.name}: ${target.about}: ${wordsOf(report)}`);
    for (const { what, input } of report.findings) {
      const path = await keepFinding(out, target.name, input);
      context.warn(
        `pmvx: ${target.name}: ${what}: ${path ?? `${input.toString('base64').slice(0, 200)} (base64); --out DIR keeps it`}`,
      );
    }
    if (out !== undefined) await writeCorpus(join(out, 'corpus'), report);
  }
  const sum = (pick: (report: FuzzReport) => number) => reports.reduce((all, each) => all + pick(each), 0);
  const findings = sum((each) => each.findings.length);
  context.write(
    `${sum((each) => each.inputs)} inputs, seed ${seed}: ${findings === 0 ? 'no finding' : `${findings} findings`}`,
  );
  if (out !== undefined) await writeTables(out, reports, `pmvx selftest --fuzz ${inputs} --seed ${seed}`);
  return findings === 0 ? ExitCode.ok : ExitCode.failure;
}

function wordsOf({ inputs, accepted, outcomes, slowestMs, seconds }: FuzzReport): string {
  return `${inputs} inputs, ${accepted} accepted, ${outcomes} outcomes, slowest ${slowestMs.toFixed(0)} ms, ${seconds.toFixed(0)} s`;
}

async function corpusOf(root: string, target: string): Promise<Buffer[]> {
  const text = await readFile(join(root, CORPUS, `${target}.base64`), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    },
  );
  return text.split('\n').flatMap((line) => (line === '' ? [] : [Buffer.from(line, 'base64')]));
}

async function writeCorpus(folder: string, { target, corpus }: FuzzReport): Promise<void> {
  await mkdir(folder, { recursive: true });
  const kept = corpus.filter(({ length }) => length <= LONGEST_KEPT).slice(0, MOST_KEPT);
  await writeAtomic(
    join(folder, `${target}.base64`),
    kept.map((input) => `${input.toString('base64')}\n`).join(''),
  );
}

async function keepFinding(
  out: string | undefined,
  target: string,
  input: Buffer,
): Promise<string | undefined> {
  if (out === undefined) return undefined;
  const folder = join(out, 'findings');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${target}-${shortDigest(input)}`);
  await writeAtomic(path, input);
  return path;
}

async function writeTables(out: string, reports: readonly FuzzReport[], command: string): Promise<void> {
  await mkdir(out, { recursive: true });
  const names = ['target', 'inputs', 'accepted', 'outcomes', 'slowest_ms', 'findings'];
  const rows = reports.map((each) => [
    ...[each.target, each.inputs, each.accepted, each.outcomes],
    ...[Math.round(each.slowestMs), each.findings.length],
  ]);
  await writeAtomic(join(out, 'fuzz.csv'), formatCsv(names, rows));
  const table = [
    '## Inputs that others wrote',
    '',
    'Each is made from a real one, or from one that was the first of its outcome. A finding is an error that is not a refusal in words, an input that takes',
    `over 2 s of processor time, or something accepted that is not as promised. Made by \`${command}\`.`,
    '',
    `| ${names.join(' | ')} |`,
    `| :-- |${' --: |'.repeat(names.length - 1)}`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ];
  await writeAtomic(join(out, 'fuzz.md'), `${table.join('\n')}\n`);
}
