// SPDX-License-Identifier: Apache-2.0
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
import type { PolicySummary } from '../summary.ts';
import type { UnitVector } from '../vector.ts';
import type { SqlClient } from './client.ts';
import { postgresFault } from './faults.ts';
import { type OpenSchema, setting } from './open.ts';
import { MIGRATIONS } from './schema.ts';
import { type CellColumns, cellOf, vectorFromText, vectorText } from './tables.ts';

interface SituationColumns {
  readonly id: number;
  readonly identity: string;
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
  readonly summary: string;
}

interface Snapshot {
  readonly changes: string;
  readonly policies: PolicyNames;
  readonly machines: ReadonlyMap<string, number>;
  readonly cells: readonly Cell[];
}

const SITUATION = `select situation.id, identity, workload, variant, point, encode(summary, 'hex') as summary
  from situation join machine on machine.id = situation.machine`;
/** Rows fetched at once when a whole map is read. */
const PAGE = 5000;

/** The same map as in one file, on a server that many hosts share. */
export class PostgresReader implements PolicyMapReader {
  protected readonly client: SqlClient;
  readonly kind: MapKind;
  protected readonly where: string;
  #snapshot: Snapshot | undefined;

  constructor({ client, kind, where }: OpenSchema) {
    this.client = client;
    this.kind = kind;
    this.where = where;
  }

  async machines(): Promise<readonly Machine[]> {
    return [...(await this.#fresh()).machines.keys()].map((identity) => JSON.parse(identity) as Machine);
  }

  async facts(): Promise<MapFacts> {
    const machines = await this.machines();
    const [counts] = await this.rows<Counts>(countsSql('::int'));
    return { ...this.kind, schema: MIGRATIONS.length, machines, ...(counts as Counts) };
  }

  async neighbours(query: {
    readonly vector: UnitVector;
    readonly machine?: Machine;
    readonly k: number;
    readonly within: number;
  }): Promise<readonly Neighbour[]> {
    const { machines, cells, policies } = await this.#fresh();
    const machine = query.machine && machines.get(canonicalJson(query.machine));
    if (query.machine !== undefined && machine === undefined) return [];
    const among = machine === undefined ? cells : cells.filter((cell) => cell.machine === machine);
    const text = vectorText(query.vector);
    const near = `select situation, min(vector <-> $1::vector) as distance from observation where cell = any($2::int[])
      group by situation order by distance limit $3`;
    const hits = await nearestSituations(among, query.vector, query, (round, most) =>
      this.rows<Hit>(near, [text, round, most]),
    );
    const rows = await this.rows<SituationColumns>(`${SITUATION} where situation.id = any($1::int[])`, [
      hits.map(({ situation }) => situation),
    ]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return hits.map(({ situation, distance }) => ({
      ...evidenceOf(byId.get(situation) as SituationColumns, policies),
      distance,
    }));
  }

  async *situations(most = Number.POSITIVE_INFINITY): AsyncIterable<PlacedSituation> {
    const { policies } = await this.#fresh();
    const rows = await this.rows<SituationColumns>(
      `${SITUATION} where situation.id in (select situation from observation)
       order by situation.machine, workload collate "C", variant collate "C", point collate "C"`,
    );
    for (const row of evenly(rows, most)) {
      const seen = await this.rows<{ policy: string; vector: string }>(
        `select name as policy, vector::text from observation join policy on policy.id = policy
         where situation = $1 order by run, trial, "window"`,
        [row.id],
      );
      yield {
        ...evidenceOf(row, policies),
        vectors: seen.map(({ policy, vector }) => ({ policy, vector: vectorFromText(vector) })),
      };
    }
  }

  async *evidence(): AsyncIterable<Evidence> {
    const runs = await this.rows<{ id: number; evidence: string }>(
      'select id, evidence from run order by name collate "C"',
    );
    for (const { evidence } of runs) yield JSON.parse(evidence) as RunEvidence;
    const observation = 'trial, "window", vector::text as vector';
    for await (const row of this.#pages<ObservationColumns & { vector: string }>(
      runs,
      'observation',
      observation,
      ', "window"',
    )) {
      yield observationOf(row, vectorFromText(row.vector));
    }
    const outcome = 'trial, baseline, block, seed, state, failed, "primary", "time", tail, energy';
    for await (const row of this.#pages<OutcomeColumns>(runs, 'outcome', outcome, '')) yield outcomeOf(row);
  }

  /** Trials of each run in their order, a page at a time: a server may hold more than fits into memory. */
  async *#pages<T>(
    runs: readonly { id: number }[],
    table: string,
    columns: string,
    order: string,
  ): AsyncIterable<T> {
    for (const { id } of runs) {
      for (let offset = 0; ; offset += PAGE) {
        const rows = await this.rows<T>(
          `select run.name as run, ${columns}, workload, variant, point, policy.name as policy, at
           from ${table} join run on run.id = run join situation on situation.id = situation
           join policy on policy.id = policy where run.id = $1 order by trial ${order} limit ${PAGE} offset ${offset}`,
          [id],
        );
        yield* rows;
        if (rows.length < PAGE) break;
      }
    }
  }

  async summaries(): Promise<Map<string, { key: SituationColumns; summaries: readonly PolicySummary[] }>> {
    const { policies } = await this.#fresh();
    const rows = await this.rows<SituationColumns>(SITUATION);
    return new Map(
      rows.map((row) => [String(row.id), { key: row, summaries: evidenceOf(row, policies).policies }]),
    );
  }

  async setting(name: string): Promise<string | undefined> {
    return this.guarded(() => setting(this.client, name));
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  async #fresh(): Promise<Snapshot> {
    const changes = (await this.setting('changes')) ?? '';
    if (this.#snapshot?.changes === changes) return this.#snapshot;
    const policies = new PolicyNames();
    for (const row of await this.rows<{ id: number; name: string }>('select id, name from policy'))
      policies.add(row);
    const machines = await this.rows<{ id: number; identity: string }>(
      'select id, identity from machine order by id',
    );
    const cells = await this.rows<CellColumns>(
      'select id, machine, leader::text, radius, size from cell order by id',
    );
    this.#snapshot = {
      changes,
      policies,
      machines: new Map(machines.map(({ id, identity }) => [identity, id])),
      cells: cells.map(cellOf),
    };
    return this.#snapshot;
  }

  protected async rows<T>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.guarded(async () => (await this.client.query<T>(sql, parameters)).rows);
  }

  protected async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw postgresFault(error, this.where);
    }
  }
}

function evidenceOf(row: SituationColumns, policies: PolicyNames) {
  const machine = JSON.parse(row.identity) as Machine;
  return situationOf(row, machine, policies.unpack(Buffer.from(row.summary, 'hex')));
}
