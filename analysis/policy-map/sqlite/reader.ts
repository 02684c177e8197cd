// SPDX-License-Identifier: Apache-2.0
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { canonicalJson } from '../../../harness/core/ids.ts';
import { type Cell, type Hit, nearestSituations } from '../cells.ts';
import type { Evidence, Machine, RunEvidence } from '../evidence.ts';
import type { MapFacts, MapKind, Neighbour, PlacedSituation, PolicyMapReader } from '../policy-map.ts';
import { evenly } from '../store/evenly.ts';
import { PolicyNames } from '../store/policy-names.ts';
import {
  type Counts,
  countsSql,
  type ObservationColumns,
  type OutcomeColumns,
  observationOf,
  outcomeOf,
  situationOf,
} from '../store/rows.ts';
import { type UnitVector, vectorBytes, vectorFromBytes } from '../vector.ts';
import { sqliteFault } from './faults.ts';
import { type OpenDatabase, openToRead, type ReadOptions, userVersion } from './open.ts';

/** Opens the map at `path` to read; it must exist. */
export function readSqliteMap(path: string, options: ReadOptions = {}): PolicyMapReader {
  return new SqliteReader(openToRead(path, options), path);
}

interface SituationColumns {
  readonly machine: number;
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
  readonly summary: Uint8Array;
}

/** Small tables that every query needs, as of one state of the file. */
interface Snapshot {
  readonly version: number;
  readonly policies: PolicyNames;
  readonly machines: ReadonlyMap<number, Machine>;
  /** Numbers of machines by their canonical JSON. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly cells: ReadonlyMap<number, readonly Cell[]>;
}

export class SqliteReader implements PolicyMapReader {
  protected readonly db: DatabaseSync;
  protected readonly path: string;
  readonly kind: MapKind;
  #snapshot: Snapshot | undefined;
  readonly #near: StatementSync;
  readonly #situation: StatementSync;
  readonly #version: StatementSync;

  constructor({ db, kind }: OpenDatabase, path: string) {
    this.db = db;
    this.kind = kind;
    this.path = path;
    this.#near = db.prepare(
      `select situation, min(vec_distance_L2(vector, ?)) as distance from observation where cell = ?
       group by situation order by distance limit ?`,
    );
    this.#situation = db.prepare(
      'select machine, workload, variant, point, summary from situation where id = ?',
    );
    this.#version = db.prepare('pragma data_version');
  }

  async machines(): Promise<readonly Machine[]> {
    return this.guarded(() => [...this.#fresh().machines.values()]);
  }

  async facts(): Promise<MapFacts> {
    const machines = await this.machines();
    return this.guarded(() => ({
      ...this.kind,
      schema: userVersion(this.db),
      machines,
      ...(this.db.prepare(countsSql()).get() as unknown as Counts),
    }));
  }

  async neighbours(query: {
    readonly vector: UnitVector;
    readonly machine?: Machine;
    readonly k: number;
    readonly within: number;
  }): Promise<readonly Neighbour[]> {
    const snapshot = this.guarded(() => this.#fresh());
    const { numbers, cells } = snapshot;
    const machine = query.machine && numbers.get(canonicalJson(query.machine));
    if (query.machine !== undefined && machine === undefined) return [];
    const among = machine === undefined ? [...cells.values()].flat() : (cells.get(machine) ?? []);
    const bytes = vectorBytes(query.vector);
    const hits = await nearestSituations(among, query.vector, query, (round, most) =>
      this.guarded(() => round.flatMap((cell) => this.#near.all(bytes, cell, most) as unknown as Hit[])),
    );
    return this.guarded(() =>
      hits.map(({ situation, distance }) => {
        const row = this.#situation.get(situation) as unknown as SituationColumns;
        return { ...this.#evidenceOf(row, snapshot), distance };
      }),
    );
  }

  async *situations(most = Number.POSITIVE_INFINITY): AsyncIterable<PlacedSituation> {
    const snapshot = this.guarded(() => this.#fresh());
    const vectors = this.db.prepare(
      'select name as policy, vector from observation join policy on policy.id = policy where situation = ? order by run, trial, "window"',
    );
    const ids = this.db.prepare(
      `select id from situation where id in (select situation from observation)
       order by machine, workload, variant, point`,
    );
    for (const { id } of evenly(ids.all() as { id: number }[], most)) {
      const seen = vectors.all(id) as { policy: string; vector: Uint8Array }[];
      const row = this.#situation.get(id) as unknown as SituationColumns;
      yield {
        ...this.#evidenceOf(row, snapshot),
        vectors: seen.map(({ policy, vector }) => ({ policy, vector: vectorFromBytes(vector) })),
      };
    }
  }

  async *evidence(): AsyncIterable<Evidence> {
    for (const { evidence } of this.db.prepare('select evidence from run order by name').iterate()) {
      yield JSON.parse(evidence as string) as RunEvidence;
    }
    const joined = (table: string, columns: string, order: string) =>
      this.db.prepare(
        `select run.name as run, trial, workload, variant, point, policy.name as policy, at, ${columns}
         from ${table} join run on run.id = run join situation on situation.id = situation
         join policy on policy.id = policy order by run.name, trial ${order}`,
      );
    for (const row of joined('observation', '"window", vector', ', "window"').iterate()) {
      const columns = row as unknown as ObservationColumns & { readonly vector: Uint8Array };
      yield observationOf(columns, vectorFromBytes(columns.vector));
    }
    const columns = 'baseline, block, seed, state, failed, "primary", "time", tail, energy';
    for (const row of joined('outcome', columns, '').iterate())
      yield outcomeOf(row as unknown as OutcomeColumns);
  }

  async setting(name: string): Promise<string | undefined> {
    return this.guarded(() => {
      const row = this.db.prepare('select value from setting where name = ?').get(name);
      return row?.value as string | undefined;
    });
  }

  async close(): Promise<void> {
    this.db.close();
  }

  /** What was read before is read anew when somebody has written: `data_version` tells. */
  #fresh(): Snapshot {
    const version = (this.#version.get() as { data_version: number }).data_version;
    if (this.#snapshot?.version !== version) this.#snapshot = this.#read(version);
    return this.#snapshot;
  }

  /** To be called after a write of one's own, which `data_version` does not show. */
  protected forget(): void {
    this.#snapshot = undefined;
  }

  #read(version: number): Snapshot {
    const rows = <T>(sql: string) => this.db.prepare(sql).all() as unknown as T[];
    const policies = new PolicyNames();
    for (const row of rows<{ id: number; name: string }>('select id, name from policy')) policies.add(row);
    const machines = rows<{ id: number; identity: string }>('select id, identity from machine order by id');
    const cells = new Map<number, Cell[]>();
    for (const row of rows<CellColumns>('select id, machine, leader, radius, size from cell order by id')) {
      const known = cells.get(row.machine) ?? [];
      cells.set(row.machine, known);
      known.push(cellOf(row));
    }
    return {
      version,
      policies,
      machines: new Map(machines.map(({ id, identity }) => [id, JSON.parse(identity) as Machine])),
      numbers: new Map(machines.map(({ id, identity }) => [identity, id])),
      cells,
    };
  }

  #evidenceOf(row: SituationColumns, { machines, policies }: Snapshot) {
    return situationOf(row, machines.get(row.machine) as Machine, policies.unpack(row.summary));
  }

  protected guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw sqliteFault(error, this.path);
    }
  }
}

export interface CellColumns {
  readonly id: number;
  readonly machine: number;
  readonly leader: Uint8Array;
  readonly radius: number;
  readonly size: number;
}

export function cellOf(row: CellColumns): Cell {
  return { ...row, leader: vectorFromBytes(row.leader) };
}
