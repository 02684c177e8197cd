// SPDX-License-Identifier: Apache-2.0
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatFault } from '../../core/errors.ts';
import { canonicalJson } from '../../core/ids.ts';
import type { PlannedTrial, TrialRecord } from '../../core/trial.ts';
import { formatDifference } from '../../run/differences.ts';
import type { RunWatcher } from '../../run/events.ts';
import { type Checks, NO_CHECKS, readChecks, writeChecks } from '../../store/checks.ts';
import { addNodes, readNodes } from '../../store/nodes.ts';
import type { PlannedRecords } from '../../store/planned-records.ts';
import { readLog } from '../../store/read-log.ts';
import { type OpenRun, plannedOf, RUN_FILES } from '../../store/run-folder.ts';
import { compareRecords, isDeterministic } from '../merge/same-result.ts';
import { attemptsFolder, attemptsOf } from './attempts.ts';
import type { SlurmJob } from './jobs-file.ts';
import { NewLines } from './new-lines.ts';

export interface CollectorOptions {
  readonly run: OpenRun;
  readonly watch: RunWatcher;
  /** Told of what is odd, in a line. */
  readonly warn: (line: string) => void;
}

/** Brings what tasks have recorded into the run, and compares what was measured twice. Holds the run's lock by its `run`. */
export class Collector {
  readonly #run: OpenRun;
  readonly #watch: RunWatcher;
  readonly #warn: (line: string) => void;
  readonly #planned: ReadonlyMap<string, PlannedTrial>;
  readonly #plan: PlannedRecords;
  readonly #recorded: Set<string>;
  readonly #lines = new NewLines();
  #checks: Checks;

  private constructor({ run, watch, warn }: CollectorOptions, checks: Checks) {
    this.#run = run;
    this.#watch = watch;
    this.#warn = warn;
    this.#plan = plannedOf(run.folder, run.plan);
    this.#planned = new Map(run.plan.trials.map((trial) => [trial.trial, trial]));
    this.#recorded = new Set(run.log.records.map(({ trial }) => trial));
    this.#checks = checks;
  }

  static async open(options: CollectorOptions): Promise<Collector> {
    return new Collector(options, (await readChecks(options.run.folder)) ?? NO_CHECKS);
  }

  get recorded(): ReadonlySet<string> {
    return this.#recorded;
  }

  get checks(): Checks {
    return this.#checks;
  }

  /** Takes in all that the attempts of these jobs have recorded since the last call. */
  async collect(jobs: readonly SlurmJob[]): Promise<void> {
    const twice: TrialRecord[] = [];
    for (const job of jobs) {
      if (job.kind === 'prepare') continue;
      for (const { folder } of await attemptsOf(this.#run.folder, job.name)) {
        const { records, faults } = await this.#lines.read(join(folder, RUN_FILES.log));
        for (const fault of faults) this.#warn(fault);
        const known = records.filter((record) => this.#plan.has(record));
        for (const record of records) {
          if (this.#plan.has(record)) continue;
          const fault = { where: folder, ...this.#plan.faultOf(record) };
          this.#warn(`${formatFault(fault)}. It counts as not measured`);
        }
        if (job.kind === 'check') twice.push(...known);
        else twice.push(...(await this.#take(known, folder)));
      }
    }
    await this.#compare(twice);
  }

  /** Adds the records that are new; gives back those whose trial is recorded already. */
  async #take(records: readonly TrialRecord[], folder: string): Promise<TrialRecord[]> {
    const fresh: TrialRecord[] = [];
    const again: TrialRecord[] = [];
    for (const record of records) {
      (this.#recorded.has(record.trial) ? again : fresh).push(record);
      this.#recorded.add(record.trial);
    }
    if (fresh.length === 0) return again;
    await addNodes(this.#run.folder, await readNodes(folder));
    await moveConsoles(folder, this.#run.folder, fresh);
    await this.#run.log.appendAll(fresh);
    for (const record of fresh) {
      this.#watch({ kind: 'recorded', planned: this.#planned.get(record.trial) as PlannedTrial, record });
    }
    return again;
  }

  /** In real time a second result says nothing; on a deterministic engine it must be the first. */
  async #compare(twice: readonly TrialRecord[]): Promise<void> {
    if (twice.length === 0 || !isDeterministic(this.#run.spec.machine.engine)) return;
    const wanted = new Set(twice.map(({ trial }) => trial));
    const first = new Map<string, TrialRecord>();
    await readLog(join(this.#run.folder, RUN_FILES.log), (record) => {
      if (wanted.has(record.trial)) first.set(record.trial, record);
    });
    const found = {
      agreed: { ...this.#checks.agreed },
      undecided: { ...this.#checks.undecided },
      differ: { ...this.#checks.differ },
    };
    for (const second of twice) {
      const record = first.get(second.trial);
      // One and the same record, collected before this process began.
      if (record === undefined || canonicalJson(record.host) === canonicalJson(second.host)) continue;
      const compared = compareRecords(record, second);
      if (compared === 'identical') continue;
      const node = second.host.fingerprint ?? 'unknown';
      if (compared === 'equal') found.agreed[second.trial] = node;
      else if (compared === 'undecided') found.undecided[second.trial] = node;
      else found.differ[second.trial] = words(record, second, compared.differ.map(formatDifference));
    }
    this.#checks = { ...this.#checks, ...found };
    await writeChecks(this.#run.folder, this.#checks);
  }

  /** Removes what attempts have left: all of it is in the run. */
  async removeParts(jobs: readonly SlurmJob[]): Promise<void> {
    for (const { name } of jobs) {
      for (const { folder } of await attemptsOf(this.#run.folder, name)) {
        await moveConsoles(folder, this.#run.folder, this.#run.log.records);
      }
      await rm(attemptsFolder(this.#run.folder, name), { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

const DIFFERENCES_SHOWN = 3;
const LONGEST = 160;

function words(a: TrialRecord, b: TrialRecord, differences: readonly string[]): string {
  const nodes = [a, b].map(({ host }) => host.fingerprint ?? 'an unknown node').join(' and ');
  const shown = differences
    .slice(0, DIFFERENCES_SHOWN)
    .map((text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text));
  return `trial ${a.trial} (block ${a.block}, ${a.workload} ${a.variant} under ${a.policy}) has two results, on ${nodes}: ${shown.join('; ')}`;
}

/** Moves the consoles of recorded trials from an attempt into the run; what was moved before is not there any more. */
async function moveConsoles(from: string, to: string, records: readonly TrialRecord[]): Promise<void> {
  const source = join(from, RUN_FILES.consoles);
  const trials = new Set(records.map(({ trial }) => trial));
  for (const name of await readdir(source).catch(() => [])) {
    if (!trials.has(name.replace(/-attempt\d+$/, ''))) continue;
    await rename(join(source, name), join(to, RUN_FILES.consoles, name)).catch(
      (error: NodeJS.ErrnoException) => {
        // Another attempt has recorded the same trial.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error;
      },
    );
  }
}
