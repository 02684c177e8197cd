// SPDX-License-Identifier: Apache-2.0
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
import type { SqlClient } from './client.ts';

/**
 * Rows go out as one JSON text a table and come in by key the same way: a statement a batch, not a row, because each is a journey
 * to the server.
 */
export class PostgresTables implements Tables {
  readonly #client: SqlClient;
  readonly #policies = new PolicyNames();

  constructor(client: SqlClient) {
    this.#client = client;
  }

  async lastNumbers(): Promise<LastNumbers> {
    const tables = ['machine', 'run', 'policy', 'situation', 'cell'];
    const columns = tables.map((table) => `(select coalesce(max(id), 0) from ${table}) as ${table}`);
    const [row] = await this.#rows<LastNumbers>(`select ${columns.join(', ')}`);
    return row as LastNumbers;
  }

  async machines() {
    const rows = await this.#rows<{ id: number; identity: string }>('select id, identity from machine');
    return rows.map(({ id, identity }) => ({ id, machine: JSON.parse(identity) as Machine }));
  }

  async policies() {
    const rows = await this.#rows<{ id: number; name: string }>('select id, name from policy');
    for (const row of rows) this.#policies.add(row);
    return rows;
  }

  async cells(machine: number): Promise<readonly Cell[]> {
    const sql = 'select id, machine, leader::text, radius, size from cell where machine = $1 order by id';
    return (await this.#rows<CellColumns>(sql, [machine])).map(cellOf);
  }

  async run(name: string): Promise<KnownRun | undefined> {
    return (await this.#rows<KnownRun>('select id, machine, digest from run where name = $1', [name]))[0];
  }

  async situations(keys: readonly SituationKey[]): Promise<readonly SituationRow[]> {
    const rows = await this.#rows<SituationKey & { id: number; summary: string }>(
      `select id, machine, workload, variant, point, encode(summary, 'hex') as summary
       from situation join jsonb_to_recordset($1::jsonb) as wanted (machine int, workload text, variant text, point text)
       using (machine, workload, variant, point)`,
      [JSON.stringify(keys)],
    );
    return rows.map(({ summary, ...row }) => ({
      ...row,
      summaries: this.#policies.unpack(Buffer.from(summary, 'hex')),
    }));
  }

  async digests(keys: readonly TrialKey[]): Promise<ReadonlyMap<string, string>> {
    const wanted = 'jsonb_to_recordset($1::jsonb) as wanted (run int, trial text, "window" int)';
    const rows = await this.#rows<TrialKey & { digest: string }>(
      `select run, trial, "window", digest from observation join ${wanted} using (run, trial, "window")
       union all
       select run, trial, "window", digest from outcome join ${wanted} using (run, trial)
       where "window" = ${NO_WINDOW}`,
      [JSON.stringify(keys)],
    );
    return new Map(rows.map((row) => [trialKey(row), row.digest]));
  }

  async write(changes: Changes): Promise<void> {
    await this.#insert(
      'machine',
      'id int, identity text',
      changes.machines.map(({ id, machine }) => ({ id, identity: canonicalJson(machine) })),
    );
    await this.#insert(
      'run',
      'id int, name text, machine int, digest text, evidence text',
      changes.runs.map((row) => ({ ...row, name: row.evidence.run, evidence: canonicalJson(row.evidence) })),
    );
    await this.#insert('policy', 'id int, name text', changes.policies);
    for (const row of changes.policies) this.#policies.add(row);
    await this.#insert(
      'situation',
      'id int, machine int, workload text, variant text, point text, summary bytea',
      changes.situations.map(({ summaries, ...row }) => ({
        ...row,
        summary: `\\x${Buffer.from(this.#policies.pack(summaries)).toString('hex')}`,
      })),
      'on conflict (id) do update set summary = excluded.summary',
    );
    await this.#insert(
      'cell',
      'id int, machine int, leader vector, radius float8, size int',
      changes.cells.map((row) => ({ ...row, leader: vectorText(row.leader) })),
      'on conflict (id) do update set radius = excluded.radius, size = excluded.size',
    );
    await this.#insert(
      'observation',
      'cell int, situation int, run int, trial text, "window" int, policy int, at text, digest text, vector vector',
      changes.observations.map(({ evidence, vector, ...row }) => ({
        ...row,
        at: evidence.at,
        vector: vectorText(vector),
      })),
    );
    await this.#insert(
      'outcome',
      `run int, trial text, situation int, policy int, at text, digest text, baseline text, block int, seed int, state text,
       failed boolean, "primary" float8, "time" float8, tail float8, energy float8`,
      changes.outcomes.map(({ evidence, run, policy, ...row }) => ({
        ...evidence,
        ...evidence.logCosts,
        ...row,
        run,
        policy,
      })),
    );
    await this.#client.query(`update setting set value = (value::bigint + 1)::text where name = 'changes'`);
  }

  async #insert(table: string, columns: string, rows: readonly object[], end = ''): Promise<void> {
    if (rows.length === 0) return;
    const names = columns.split(',').map((column) => column.trim().split(' ')[0]);
    await this.#client.query(
      `insert into ${table} (${names}) select ${names} from jsonb_to_recordset($1::jsonb) as row (${columns}) ${end}`,
      [JSON.stringify(rows)],
    );
  }

  async #rows<T>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return (await this.#client.query<T>(sql, parameters)).rows;
  }
}

export interface CellColumns {
  readonly id: number;
  readonly machine: number;
  readonly leader: string;
  readonly radius: number;
  readonly size: number;
}

export function cellOf(row: CellColumns): Cell {
  return { ...row, leader: vectorFromText(row.leader) };
}

/** As pgvector writes and reads a vector: `[1,0.5]`. */
export function vectorText(vector: Float32Array): string {
  return `[${Array.from(vector).join(',')}]`;
}

export function vectorFromText(text: string): Float32Array {
  return Float32Array.from(JSON.parse(text) as number[]);
}
