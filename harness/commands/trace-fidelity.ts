// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { makeFolder, writeAtomic } from '../store/atomic-write.ts';
import { type Comparison, compareReplay, joinComparisons } from '../trace/compare.ts';
import {
  type FidelityRow,
  fidelityCsv,
  fidelityLine,
  fidelityMarkdown,
  holds,
} from '../trace/fidelity-table.ts';
import { encodeTrace } from '../trace/trace-file.ts';
import type { CommandContext } from './context.ts';
import type { Lab } from './open-lab.ts';
import { openTraceLab, recordInLab, traceOf } from './trace-lab.ts';
import { type TraceTarget, traceSpec } from './trace-spec.ts';

export interface TraceFidelityArgs {
  /** Workloads, as `trace record` takes them; all that the image holds when absent. */
  readonly workloads?: readonly string[];
  readonly image: string;
  readonly vcpus?: number;
  /** Runs of each workload, each with a seed of its own; one when absent. */
  readonly blocks?: number;
  /** Workloads at once; as many as there are cores when absent. */
  readonly jobs?: number;
  /** Folder of trace-fidelity.csv and .md; nothing is written without it. */
  readonly out?: string;
  /** Folder that keeps the traces. */
  readonly keep?: string;
}

/** `pmvx trace fidelity`: records workloads, plays each trace under the recorder, and compares. */
export async function traceFidelityCommand(
  args: TraceFidelityArgs,
  context: CommandContext,
): Promise<ExitCode> {
  const catalog = await context.catalog();
  const targets = args.workloads ?? [...catalog.workloads.keys()].filter((id) => id !== 'replay');
  const scratch = args.keep ?? (await mkdtemp(join(tmpdir(), 'pmvx-trace-fidelity-')));
  if (args.keep !== undefined) await makeFolder(args.keep);
  // A hole for each workload that has not been done yet.
  const done: (FidelityRow | undefined)[] = targets.map(() => undefined);
  try {
    // One image for all, whatever happens to its sources meanwhile.
    const [any = 'hackbench'] = targets;
    const first = await traceSpec(asked(any, args, 0), catalog);
    const lab = await openTraceLab(first.spec, first.planned, context);
    const todo = targets.entries();
    const work = async (): Promise<void> => {
      for (const [at, target] of todo) {
        const began = performance.now();
        done[at] = await oneRow(target, args, { lab, folder: scratch, context });
        const rows = rowsOf(done);
        // Hours of work: what there is, is kept.
        if (args.out !== undefined) await writeTables(args.out, rows, args);
        const seconds = ((performance.now() - began) / 1000).toFixed(0);
        context.write(`[${rows.length}/${targets.length}] ${fidelityLine(done[at])}  (${seconds} s)`);
      }
    };
    await Promise.all(Array.from({ length: args.jobs ?? availableParallelism() }, work));
  } finally {
    if (args.keep === undefined) await rm(scratch, { recursive: true, force: true });
  }
  const rows = rowsOf(done);
  const within = rows.filter((row) => row.comparison !== undefined && holds(row.comparison)).length;
  context.write(`${within} of ${rows.length} within 10 %`);
  return rows.every(({ reason }) => reason === undefined) ? ExitCode.ok : ExitCode.incomplete;
}

function rowsOf(done: readonly (FidelityRow | undefined)[]): readonly FidelityRow[] {
  return done.flatMap((row) => row ?? []);
}

async function writeTables(
  out: string,
  rows: readonly FidelityRow[],
  { image, vcpus, blocks = 1, workloads = [] }: TraceFidelityArgs,
): Promise<void> {
  const words = ['`./pmvx trace fidelity', ...workloads, `--image ${image}`, `--blocks ${blocks}\`:`];
  const made = `${words.join(' ')} each workload recorded under eevdf on exact, ${vcpus ?? 4} vCPUs, and its trace played under the same recorder; ${blocks} seeds.`;
  await makeFolder(out);
  await writeAtomic(join(out, 'trace-fidelity.csv'), fidelityCsv(rows));
  await writeAtomic(join(out, 'trace-fidelity.md'), fidelityMarkdown(rows, made));
}

async function oneRow(target: string, args: TraceFidelityArgs, place: Place): Promise<FidelityRow> {
  const { context } = place;
  const { planned } = await traceSpec(asked(target, args, 0), await context.catalog());
  const named = { workload: planned.workload, variant: planned.variant };
  try {
    const runs: Run[] = [];
    for (let block = 0; block < (args.blocks ?? 1); block++)
      runs.push(await oneRun(target, args, block, place));
    const first = runs[0] as Run;
    const excess = runs.reduce((sum, each) => sum + (each.excess ?? 0), 0) / runs.length;
    return {
      ...named,
      tasks: first.tasks,
      bytes: first.bytes,
      comparison: joinComparisons(runs.map(({ comparison }) => comparison)),
      ...(runs.some((each) => each.excess === undefined) ? {} : { excess }),
    };
  } catch (error) {
    if (!(error instanceof PmvxError) || context.signal.aborted) throw error;
    return { ...named, reason: error.faults.map(({ what }) => what).join('; ') };
  }
}

function asked(target: string, { image, vcpus }: TraceFidelityArgs, block: number): TraceTarget {
  return { target, image, block, ...(vcpus === undefined ? {} : { vcpus }) };
}

interface Place {
  readonly lab: Lab;
  /** For the traces. */
  readonly folder: string;
  readonly context: CommandContext;
}

interface Run {
  readonly tasks: number;
  readonly bytes: number;
  readonly comparison: Comparison;
  readonly excess?: number;
}

/** One seed of a workload: recorded, played with the same seed, compared. */
async function oneRun(
  target: string,
  args: TraceFidelityArgs,
  block: number,
  { lab, folder, context }: Place,
): Promise<Run> {
  const catalog = await context.catalog();
  const original = await traceSpec(asked(target, args, block), catalog);
  const trace = traceOf(
    await recordInLab(lab, original.spec, original.planned, context),
    original.planned,
    lab,
  );
  const path = join(folder, `${target.replaceAll(/[^\w.=-]/g, '_')}-${block}.trace`);
  const bytes = encodeTrace(trace);
  await writeFile(path, bytes);
  const replay = await traceSpec(asked(`replay:trace=${path}`, args, block), catalog);
  const { recording, record } = await recordInLab(lab, replay.spec, replay.planned, context);
  const excess =
    record.state === 'completed' ? record.metrics.find(({ name }) => name === 'excess')?.value : undefined;
  return {
    tasks: trace.tasks.length,
    bytes: bytes.length,
    comparison: compareReplay(trace, recording),
    ...(excess === undefined ? {} : { excess }),
  };
}
