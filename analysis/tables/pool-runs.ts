// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import { canonicalJson } from '../../harness/core/ids.ts';
import { looksOf } from '../../harness/core/looks.ts';
import type { Spec } from '../../harness/core/spec.ts';
import type { PlannedTrial, TrialRecord } from '../../harness/core/trial.ts';
import { blockHosts } from './block-hosts.ts';
import type { TableInput } from './outcome-types.ts';

/** One of several runs that are analysed together. */
export interface PooledRun {
  readonly run: string;
  readonly spec: Spec;
  readonly planned: readonly PlannedTrial[];
  readonly records: readonly TrialRecord[];
  /** Names the image: figures of different kernels are no repeats of each other. */
  readonly image: string;
  /** Names the host: what is odd about it is in all of its blocks. */
  readonly host: string;
}

/**
 * Several runs as one input for a table. Blocks stay what they were, and are numbered anew; those of different hosts, or of different
 * images when `mixed`, nest in them. On `exact` the same seed on the same image and machine is the same trial, and counts once: with
 * another result there the lab is broken, PmvxError (image). Throws PmvxError (usage) for runs that cannot be taken together, for one record
 * that is in two of them, and for mixed engines, images or machines unless `mixed`.
 */
export function poolRuns(runs: readonly PooledRun[], { mixed = false } = {}): TableInput {
  const [first] = runs;
  if (first === undefined) throw new Error('there is no run to analyse');
  if (runs.length === 1) {
    const { run, spec, planned, records } = first;
    return { run, spec, planned, records };
  }
  requireAlike(runs, mixed);
  const pool = new Pool();
  for (const run of runs) pool.add(run);
  const { spec } = runs.reduce((most, run) =>
    looksOf(run.spec).length > looksOf(most.spec).length ? run : most,
  );
  const several = new Set(pool.hosts.values()).size > 1;
  return {
    run: runs.map(({ run }) => run).join(' + '),
    spec: {
      ...spec,
      name: [...new Set(runs.map((run) => run.spec.name))].join(' + '),
      policies: [...new Set(runs.flatMap((run) => run.spec.policies))],
      workloads: unique(runs.flatMap((run) => run.spec.workloads)),
      points: [...new Set(runs.flatMap((run) => run.spec.points))],
    },
    planned: pool.planned,
    records: pool.records,
    ...(several ? { hosts: pool.hosts } : {}),
    remarks: pool.remarks(),
  };
}

class Pool {
  readonly planned: PlannedTrial[] = [];
  readonly records: TrialRecord[] = [];
  readonly hosts = new Map<number, string>();
  readonly #blocks = new Map<string, number>();
  readonly #trials = new Set<string>();
  /** Records by cell and block, on `exact`; elsewhere by all that they are. */
  readonly #records = new Map<string, TrialRecord>();
  readonly #repeats = new Map<string, number>();

  add({ run, spec, planned, records, image, host }: PooledRun): void {
    const exact = spec.machine.engine === 'exact';
    const setting = exact ? canonicalJson([image, spec.machine]) : run;
    const seeds = new Map(
      planned.filter(({ role }) => role === 'measure').map(({ block, seed }) => [block, seed]),
    );
    const nodes = blockHosts(records);
    const place = (trial: PlannedTrial | TrialRecord): { readonly block: number; readonly key: string } => {
      const block = this.#blockOf(`${setting} ${exact ? seeds.get(trial.block) : trial.block}`);
      // exact is the same on every host.
      this.hosts.set(block, exact ? image : `${nodes?.get(trial.block) ?? host} ${image}`);
      const { workload, variant, point, policy, role } = trial;
      return { block, key: canonicalJson([block, workload, variant, point, policy, role]) };
    };
    const kept = new Set<string>();
    for (const trial of planned) {
      const { block, key } = place(trial);
      if (this.#trials.has(key)) {
        this.#repeats.set(run, (this.#repeats.get(run) ?? 0) + 1);
        continue;
      }
      this.#trials.add(key);
      kept.add(trial.trial);
      this.planned.push({ ...trial, block, trial: `${run}/${trial.trial}` });
    }
    for (const record of records) {
      const { block, key } = place(record);
      const own = { ...record, block, trial: `${run}/${record.trial}` };
      this.#requireOnce(
        exact ? key : canonicalJson([identityOf(record), record.host, resultOf(record)]),
        own,
      );
      if (kept.has(record.trial)) this.records.push(own);
    }
  }

  /** Refuses a result that contradicts an earlier one (exact), and elsewhere one that was there before: it is no second measurement. */
  #requireOnce(key: string, record: TrialRecord): void {
    const earlier = this.#records.get(key);
    this.#records.set(key, earlier ?? record);
    if (earlier === undefined) return;
    const where = `${earlier.trial} and ${record.trial}`;
    const { workload, variant, point, policy, role, seed, engine, host } = record;
    const words = `${workload} ${variant} under ${policy}, ${point}, ${role}, seed ${seed},`;
    if (engine !== 'exact') {
      throw new PmvxError(ExitCode.usage, {
        where,
        what: `${words} is one record in two runs: measured once, at ${host.startedAt}`,
        next: 'Leave one of the runs out; a merged run holds those that it was made of',
      });
    }
    // What did not complete may have been cut short by its host.
    if (earlier.state !== 'completed' || record.state !== 'completed') return;
    if (canonicalJson(resultOf(earlier)) === canonicalJson(resultOf(record))) return;
    throw new PmvxError(ExitCode.image, {
      where,
      what: `${words} has two results, and on exact a trial has one on every host`,
      next: 'Check both images with `./pmvx image verify` and `./pmvx image selftest`; then measure these blocks again',
    });
  }

  remarks(): string[] {
    return [...this.#repeats].map(
      ([run, count]) =>
        `${count} trials of ${run} are those of an earlier run once more (exact: same image, machine and seed) and count once`,
    );
  }

  #blockOf(key: string): number {
    const block = this.#blocks.get(key) ?? this.#blocks.size;
    this.#blocks.set(key, block);
    return block;
  }
}

function identityOf({ seed, workload, variant, point, policy, role, block }: TrialRecord) {
  return { block, seed, workload, variant, point, policy, role };
}

/** What a trial came to, as far as tables are made of it. */
function resultOf(record: TrialRecord): unknown {
  const { state, transcript } = record;
  return { state, transcript, ...(record.state === 'completed' ? { metrics: record.metrics } : {}) };
}

/** What runs must agree about, and why. */
const AGREE: readonly (readonly [what: string, of: (run: PooledRun) => string, why: string])[] = [
  ['engines', ({ spec }) => spec.machine.engine, 'time means something else on each'],
  ['images', ({ image }) => image, 'each has its own kernel and programs'],
  [
    'machines',
    ({ spec: { machine } }) =>
      `${machine.vcpus} vCPUs, ${machine.memoryMiB} MiB, topology ${Object.values(machine.topology).join('x')}, speed ${machine.speed}`,
    'schedulers act differently on each',
  ],
];

/** Refuses runs whose figures are not of one thing; `mixed` allows other engines, images and machines. */
export function requireAlike(runs: readonly PooledRun[], mixed: boolean): void {
  const names = runs.map(({ run }) => run);
  const repeated = names.find((name, at) => names.indexOf(name) < at);
  if (repeated !== undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: repeated,
      what: 'the run is given twice',
      next: 'Give each run once',
    });
  }
  const where = names.join(', ');
  const baselines = distinct(runs, ({ spec }) => spec.baseline);
  if (baselines.length > 1) {
    throw new PmvxError(ExitCode.usage, {
      where,
      what: `the runs have different baselines: ${baselines.join(' and ')}`,
      next: 'Ratios to different baselines cannot be taken together; analyse each run alone',
    });
  }
  if (mixed) return;
  for (const [what, of, why] of AGREE) {
    const seen = distinct(runs, of);
    if (seen.length === 1) continue;
    throw new PmvxError(ExitCode.usage, {
      where,
      what: `the runs are of different ${what} (${seen.join('; ')}): ${why}`,
      next: 'pmvx compare sets two runs side by side; --mixed takes them together all the same, engine by engine',
    });
  }
}

function distinct(runs: readonly PooledRun[], of: (run: PooledRun) => string): string[] {
  return [...new Set(runs.map(of))];
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [canonicalJson(value), value])).values()];
}
