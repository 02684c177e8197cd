// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import type { Engine } from '../lab/engine.ts';
import type { RunWatcher } from './events.ts';
import { judge } from './judge.ts';
import { machineLost, saysNothing } from './machine-lost.ts';
import { ordersFor } from './orders.ts';

/** Where records go: a durable, append-only log. `append` resolves once the record would survive a power cut. */
export interface RecordSink {
  readonly records: readonly TrialRecord[];
  append(record: TrialRecord): Promise<void> | void;
}

export interface RunJob {
  readonly run: string;
  readonly spec: Spec;
  readonly trials: readonly PlannedTrial[];
  readonly catalog: Pick<Catalog, 'workloads' | 'policies'>;
  readonly engine: Engine;
  readonly log: RecordSink;
  /** Folder that gets one folder of consoles a trial. */
  readonly consoles: string;
  /** Names this host in every record. */
  readonly fingerprint?: string;
  /** Most trials at once. */
  readonly jobs: number;
  /** Aborted by the user: VMs are killed and what was running leaves no record. */
  readonly signal: AbortSignal;
  readonly watch: RunWatcher;
  readonly now?: () => Date;
  /** Ends the run before its last block. */
  readonly stop?: EarlyStop;
}

/** When to look, and what to look for. */
export interface EarlyStop {
  /** Numbers of blocks, rising; nothing of a later block starts before the look is over. */
  readonly looks: readonly number[];
  /** Whether the records of the first `blocks` blocks, all of them, are enough. Pure: a resumed run decides the same. */
  enough(records: readonly TrialRecord[], blocks: number): boolean;
}

/**
 * How a run ended: with every trial recorded, because that was enough, stopped by the user, by the spec's `maxFailures`, or without
 * some trials, whose machines were lost each time.
 */
export type RunEnd = 'complete' | 'enough' | 'interrupted' | 'too-many-failures' | 'machines-lost';

const ATTEMPTS = 2;

/**
 * Runs the trials that the log does not hold yet, in plan order, at most `jobs` at once, and records each as it ends.
 * A trial is in the log whole or not at all; whatever was running when the process died is run again by the next call.
 * Throws what the engine or the log threw, after every other VM has been stopped.
 */
export async function runTrials(job: RunJob): Promise<RunEnd> {
  const recorded = new Set(job.log.records.map((record) => record.trial));
  let failures = job.log.records.filter((record) => record.state !== 'completed').length;
  const tooMany = () => failures > (job.spec.stop.maxFailures ?? Number.POSITIVE_INFINITY);
  let lost = 0;

  const broken = new AbortController();
  const signal = AbortSignal.any([job.signal, broken.signal]);
  job.watch({ kind: 'begun', total: job.trials.length, recorded: [...job.log.records] });

  const worker = async (queue: Iterator<PlannedTrial>) => {
    while (!signal.aborted && !tooMany()) {
      const next = queue.next();
      if (next.done === true) return;
      const record = await runTrial(job, next.value, signal);
      if (record === 'stopped') return;
      if (record === 'lost') {
        lost++;
        continue;
      }
      await job.log.append(record);
      if (record.state !== 'completed') failures++;
      job.watch({ kind: 'recorded', planned: next.value, record });
    }
  };
  const guarded = (queue: Iterator<PlannedTrial>) =>
    worker(queue).catch((error: unknown) => {
      broken.abort(error);
      throw error;
    });
  for (const look of job.stop?.looks ?? [Number.POSITIVE_INFINITY]) {
    const due = job.trials.filter(({ trial, block }) => block < look && !recorded.has(trial));
    for (const { trial } of due) recorded.add(trial);
    const queue = due.values();
    const ends = await Promise.allSettled(Array.from({ length: job.jobs }, () => guarded(queue)));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw broken.signal.reason;
    if (signal.aborted || tooMany() || lost > 0) break;
    const seen = job.log.records.filter(({ block }) => block < look);
    const last = look >= (job.stop?.looks.at(-1) ?? 0);
    if (!last && job.stop?.enough(seen, look) === true) return 'enough';
  }
  const missing = job.trials.length - job.log.records.length;
  if (missing === 0) return 'complete';
  if (job.signal.aborted) return 'interrupted';
  return tooMany() ? 'too-many-failures' : 'machines-lost';
}

/** One trial, again when the machine itself was lost; without a record when the run was stopped meanwhile, or when that says nothing. */
async function runTrial(
  job: RunJob,
  planned: PlannedTrial,
  signal: AbortSignal,
): Promise<TrialRecord | 'stopped' | 'lost'> {
  const workload = known(job.catalog.workloads, planned.workload);
  const policy = known(job.catalog.policies, planned.policy);
  const policies = job.spec.policies.map((id) => known(job.catalog.policies, id));
  const orders = ordersFor(planned, workload, policy, policies, job.engine.name, job.spec.probes);
  const now = job.now ?? (() => new Date());
  const folderOf = (attempt: number) =>
    join(job.consoles, attempt === 1 ? planned.trial : `${planned.trial}-attempt${attempt}`);
  // Of a controller that was killed; there hardly ever are any. Nothing is awaited, so trials start in the order of the plan.
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++)
    rmSync(folderOf(attempt), { recursive: true, force: true });
  for (let attempt = 1; ; attempt++) {
    const startedAt = now().toISOString();
    job.watch({ kind: 'started', planned, attempt });
    const outcome = await job.engine
      .runTrial(orders, job.spec.machine, folderOf(attempt), signal)
      .catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
    // A VM that died while the run was being stopped was killed by the stopping.
    if (outcome === undefined || (signal.aborted && outcome.ended !== 'done')) return 'stopped';
    const cause = outcome.cause ?? 'no cause known';
    if (machineLost(outcome) && attempt < ATTEMPTS) {
      job.watch({ kind: 'lost', planned, cause, again: true });
      continue;
    }
    if (saysNothing(outcome)) {
      job.watch({ kind: 'lost', planned, cause, again: false });
      return 'lost';
    }
    const probes = job.spec.probes?.sets;
    const { run, fingerprint } = job;
    const context = {
      run,
      engine: job.engine.name,
      startedAt,
      attempt,
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(probes && { probes }),
      folder: `${basename(job.consoles)}/${basename(folderOf(attempt))}`,
    };
    return judge(planned, workload.definition, policy.definition, outcome, context);
  }
}

function known<T>(map: ReadonlyMap<string, T>, id: string): T {
  const value = map.get(id);
  if (value === undefined) throw new Error(`the plan names "${id}", which the catalog does not have`);
  return value;
}
