// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { FEATURES_VERSION } from '../../analysis/features/definition.ts';
import { windowVector } from '../../analysis/features/window-vector.ts';
import type { KnownVector, UnknownVector } from '../../analysis/features/workload-vector.ts';
import type { Machine } from '../../analysis/policy-map/evidence.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { type CompletedTrial, ENGINE_NAMES } from '../core/trial.ts';
import { readProbeWindows } from '../store/probe-windows.ts';
import type { StoredRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { machineOfRun, openStoredRun, vectorOfTrial } from './learnt-run.ts';

/** What a query is about: a vector, or why there is none. */
export type Asked =
  | {
      readonly kind: 'vector';
      readonly values: readonly number[];
      readonly features?: string;
      readonly machine: Machine;
      /** Names the vector in errors. */
      readonly where: string;
    }
  | { readonly kind: 'unknown'; readonly why: string };

const count = z.int().min(0);
const VectorFile = z.strictObject({
  features: z.string().min(1),
  machine: z.strictObject({
    engine: z.enum(ENGINE_NAMES),
    kernel: z.string().min(1),
    nodes: count,
    sockets: count,
    cores: count,
    threads: count,
    cpu: z.string().min(1),
  }),
  // Not z.number(): NaN written as null or a text is told with its place by whoever checks the vector.
  values: z.array(z.unknown()),
});

/** A vector from a JSON file, `-` for stdin: features, machine and values, as `pmvx query --json` and the runtime write them. */
export async function askedOfFile(path: string): Promise<Asked> {
  const where = path === '-' ? 'stdin' : path;
  const next = `Write {"features": "${FEATURES_VERSION}", "machine": {"engine", "kernel", "nodes", "sockets", "cores", "threads", "cpu"}, "values": [...]}`;
  let content: string;
  try {
    content = path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (error) {
    throw new PmvxError(
      ExitCode.usage,
      { where, what: 'the vector cannot be read', next: 'Check the path' },
      { cause: error },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new PmvxError(ExitCode.usage, { where, what: 'not valid JSON', next });
  }
  const read = VectorFile.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new PmvxError(ExitCode.usage, {
      where,
      what: `not a vector: ${issue?.path.join('.')}: ${issue?.message}`,
      next,
    });
  }
  const { features, machine, values } = read.data;
  const numbers = values.map((each) => (typeof each === 'number' ? each : Number.NaN));
  return { kind: 'vector', values: numbers, features, machine, where };
}

/** The vector of a recorded trial, or of one of its windows. */
export async function askedOfTrial(
  name: string,
  window: number | undefined,
  context: CommandContext,
): Promise<Asked> {
  const slash = name.lastIndexOf('/');
  if (slash < 1) {
    throw new PmvxError(ExitCode.usage, {
      where: name,
      what: 'not a trial',
      next: 'Write RUN/TRIAL, such as quickstart-20260101-120000/0007',
    });
  }
  const run = await openStoredRun(name.slice(0, slash), context);
  const trial = name.slice(slash + 1);
  const record = run.records.find((each) => each.trial === trial);
  if (record === undefined) {
    const known = run.records.map((each) => each.trial);
    throw new PmvxError(ExitCode.usage, {
      where: name,
      what: `the run has no trial ${trial}`,
      next: didYouMean(trial, known),
    });
  }
  if (record.state !== 'completed')
    return { kind: 'unknown', why: `trial ${trial} did not complete: ${record.reason}` };
  const { vcpus } = run.spec.machine;
  const vector: KnownVector | UnknownVector | undefined =
    window === undefined ? vectorOfTrial(record, vcpus) : await vectorOfWindow(run, record, window);
  if (vector === undefined) return { kind: 'unknown', why: `trial ${trial} was run without probes` };
  if (vector.kind === 'unknown') return vector;
  return { kind: 'vector', values: vector.values, machine: machineOfRun(run), where: name };
}

async function vectorOfWindow(
  run: StoredRun,
  record: CompletedTrial,
  window: number,
): Promise<KnownVector | UnknownVector> {
  const windows = await readProbeWindows(run, record);
  if (windows === undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: `${run.folder}: trial ${record.trial}`,
      what: 'the windows of the trial are not kept',
      next: 'Leave --window out: the whole run is in the record',
    });
  }
  const chosen = windows[window];
  if (chosen === undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: '--window',
      what: `the trial has windows 0 to ${windows.length - 1}, not ${window}`,
      next: 'Give one of them',
    });
  }
  return windowVector(chosen, run.spec.machine.vcpus);
}
