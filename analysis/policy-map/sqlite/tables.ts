// SPDX-License-Identifier: Apache-2.0
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { canonicalJson } from '../../../harness/core/ids.ts';
import type { Cell } from '../cells.ts';
import type { Machine } from '../evidence.ts';
import { PolicyNames } from '../store/policy-names.ts';
import {
  type Changes,
  type KnownRun,
  type LastNumbers,
  NO_WINDOW,
  type SituationKey,
  type SituationRow,
  type Tables,
  type TrialKey,
  trialKey,
} from '../store/tables.ts';
import { vectorBytes } from '../vector.ts';
import { type CellColumns, cellOf } from './reader.ts';

/** Statements are compiled once a transaction: compiling takes longer than most of them run. */
export class SqliteTables implements Tables {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #policies = new PolicyNames();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  async lastNumbers(): Promise<LastNumbers> {
    const last = (table: string) =>
      this.#sql(`select coalesce(max(id), 0) as id from ${table}`).get()?.id as number;
    return {
      machine: last('machine'),
      run: last('run'),
      policy: last('policy'),
      situation: last('situation'),
      cell: last('cell'),
    };
  }

  async machines() {
    const rows = this.#sql('select id, identity from machine').all() as { id: number; identity: string }[];
    return rows.map(({ id, identity }) => ({ id, machine: JSON.parse(identity) as Machine }));
  }

  async policies() {
    const rows = this.#sql('select id, name from policy').all() as { id: number; name: string }[];
    for (const row of rows) this.#policies.add(row);
    return rows;
  }

  async cells(machine: number): Promise<readonly Cell[]> {
    const rows = this.#sql(
      'select id, machine, leader, radius, size from cell where machine = ? order by id',
    ).all(machine);
    return (rows as unknown as CellColumns[]).map(cellOf);
  }

  async run(name: string): Promise<KnownRun | undefined> {
    return this.#sql('select id, machine, digest from run where name = ?').get(name) as KnownRun | undefined;
  }

  async situations(keys: readonly SituationKey[]): Promise<readonly SituationRow[]> {
    const find = this.#sql(
      'select id, summary from situation where machine = ? and workload = ? and variant = ? and point = ?',
    );
    return keys.flatMap((key) => {
      const row = find.get(key.machine, key.workload, key.variant, key.point);
      if (row === undefined) return [];
      return [{ ...key, id: row.id as number, summaries: this.#policies.unpack(row.summary as Uint8Array) }];
    });
  }

  async digests(keys: readonly TrialKey[]): Promise<ReadonlyMap<string, string>> {
    const outcome = this.#sql('select digest from outcome where run = ? and trial = ?');
    const observation = this.#sql(
      'select digest from observation where run = ? and trial = ? and "window" = ?',
    );
    const found = new Map<string, string>();
    for (const key of keys) {
      const { run, trial, window } = key;
      const row = window === NO_WINDOW ? outcome.get(run, trial) : observation.get(run, trial, window);
      if (row !== undefined) found.set(trialKey(key), row.digest as string);
    }
    return found;
  }

  async write(changes: Changes): Promise<void> {
    const machine = this.#sql('insert into machine (id, identity) values (?, ?)');
    for (const row of changes.machines) machine.run(row.id, canonicalJson(row.machine));
    const run = this.#sql('insert into run (id, name, machine, digest, evidence) values (?, ?, ?, ?, ?)');
    for (const row of changes.runs) {
      run.run(row.id, row.evidence.run, row.machine, row.digest, canonicalJson(row.evidence));
    }
    const policy = this.#sql('insert into policy (id, name) values (?, ?)');
    for (const row of changes.policies) {
      policy.run(row.id, row.name);
      this.#policies.add(row);
    }
    const situation = this.#sql(
      `insert into situation (id, machine, workload, variant, point, summary) values (?, ?, ?, ?, ?, ?)
       on conflict (id) do update set summary = excluded.summary`,
    );
    for (const row of changes.situations) {
      const summary = this.#policies.pack(row.summaries);
      situation.run(row.id, row.machine, row.workload, row.variant, row.point, summary);
    }
    const cell = this.#sql(
      `insert into cell (id, machine, leader, radius, size) values (?, ?, ?, ?, ?)
       on conflict (id) do update set radius = excluded.radius, size = excluded.size`,
    );
    for (const row of changes.cells)
      cell.run(row.id, row.machine, vectorBytes(row.leader), row.radius, row.size);
    this.#writeTrials(changes);
  }

  #writeTrials({ observations, outcomes }: Changes): void {
    const observation = this.#sql('insert into observation values (?, ?, ?, ?, ?, ?, ?, ?, vec_f32(?))');
    for (const { cell, situation, run, trial, window, policy, evidence, digest, vector } of observations) {
      observation.run(cell, situation, run, trial, window, policy, evidence.at, digest, vectorBytes(vector));
    }
    const outcome = this.#sql('insert into outcome values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    for (const { run, trial, situation, policy, evidence, digest } of outcomes) {
      const { at, baseline, block, seed, state, failed, logCosts } = evidence;
      const { primary, time, tail, energy } = logCosts;
      const costs = [primary, time, tail, energy].map((cost) => cost ?? null);
      const facts = [at, digest, baseline ?? null, block, seed, state, failed ? 1 : 0];
      outcome.run(run, trial, situation, policy, ...facts, ...costs);
    }
  }

  #sql(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}
