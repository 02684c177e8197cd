// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Machine } from '../core/spec.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import type { Engine, GuestOutcome } from '../lab/engine.ts';
import { judge } from '../run/judge.ts';
import { ordersFor } from '../run/orders.ts';
import { decodeEvents, type Recording } from './events.ts';

/** The recorder in the guest, and where it leaves its events. */
const RECORDER = '/opt/pmvx/bin/record';
const EVENTS = '/run/pmvx-events';
/** Of a `trace` frame, with room for the first line; see bpf/guest/agent/agent.h. */
const MOST_BYTES = 32 * 2 ** 20 - 8192;

export interface RecordedTrial {
  readonly record: TrialRecord;
  readonly recording: Recording;
  readonly outcome: GuestOutcome;
  /** Program and arguments of the workload. */
  readonly command: readonly string[];
}

export interface RecordOptions {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly catalog: Pick<Catalog, 'workloads' | 'policies'>;
  /** Gets the machine's console and logs. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Runs a trial under the recorder. The policy is the trial's, and so is everything else; the program that runs is the recorder, which
 * starts the workload. Throws PmvxError when the trial did not complete or nothing whole was recorded.
 */
export async function recordTrial(planned: PlannedTrial, options: RecordOptions): Promise<RecordedTrial> {
  const { engine, machine, catalog, folder, signal } = options;
  const workload = catalog.workloads.get(planned.workload);
  const policy = catalog.policies.get(planned.policy);
  if (workload === undefined || policy === undefined)
    throw new Error(`no ${planned.workload} or ${planned.policy}`);
  const orders = ordersFor(planned, workload, policy, [policy], engine.name);
  const run = [RECORDER, '--out', EVENTS, '--most', String(MOST_BYTES), '--', ...orders.run];
  const startedAt = new Date().toISOString();
  const outcome = await engine.runTrial({ ...orders, run, trace: EVENTS }, machine, folder, signal);
  const context = { run: 'trace', engine: engine.name, startedAt, attempt: 1 };
  const record = judge(planned, workload.definition, policy.definition, outcome, context);
  const where = `${planned.workload} ${planned.variant} under ${planned.policy}`;
  if (record.state !== 'completed') {
    const words = /^record: .*$/m.exec(record.output ?? '')?.[0];
    const what = `${record.state}: ${words ?? record.reason}`;
    throw new PmvxError(ExitCode.incomplete, { where, what, next: `Its console is in ${folder}` });
  }
  const frame = outcome.frames.find(({ kind }) => kind === 'trace');
  if (frame === undefined) {
    const what = 'the run ended well and left no recording';
    throw new PmvxError(ExitCode.failure, { where, what, next: `Its console is in ${folder}` });
  }
  return { record, recording: decodeEvents(frame.payload), outcome, command: orders.run };
}
