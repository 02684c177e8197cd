// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '../evidence.ts';
import type { LearnReport, PolicyMap, Settle } from '../policy-map.ts';
import { learnInto } from '../store/learner.ts';
import { cellFaults, evidenceFaults, situationName, summaryFaults, trialName } from '../store/verify.ts';
import { locked, type OpenSchema } from './open.ts';
import { PostgresReader } from './reader.ts';
import { type CellColumns, cellOf, PostgresTables, vectorFromText } from './tables.ts';

export class PostgresMap extends PostgresReader implements PolicyMap {
  readonly #opened: OpenSchema;
  readonly #waitMs: number | undefined;

  constructor(opened: OpenSchema, waitMs?: number) {
    super(opened);
    this.#opened = opened;
    this.#waitMs = waitMs;
  }

  async learn(evidence: Iterable<Evidence> | AsyncIterable<Evidence>, settle?: Settle): Promise<LearnReport> {
    return this.#transaction(async () => {
      const report = await learnInto(new PostgresTables(this.client), this.kind, evidence);
      for (const [name, value] of (await settle?.(this)) ?? []) await this.#set(name, value);
      return report;
    });
  }

  async setSetting(name: string, value: string): Promise<void> {
    await this.#transaction(() => this.#set(name, value));
  }

  async #set(name: string, value: string): Promise<void> {
    await this.client.query(
      'insert into setting values ($1, $2) on conflict (name) do update set value = excluded.value',
      [name, value],
    );
  }

  async verify(): Promise<string[]> {
    const stored = [...(await this.summaries()).values()]
      .filter(({ summaries }) => summaries.length > 0)
      .map(({ key, summaries }) => [situationName(key.identity, key as never), summaries] as const);
    const faults = await summaryFaults(this, new Map(stored));
    faults.push(...(await evidenceFaults(this, await this.#digests())));
    for (const row of await this.rows<CellColumns>(
      'select id, machine, leader::text, radius, size from cell',
    )) {
      const members = await this.rows<{ vector: string }>(
        'select vector::text from observation where cell = $1',
        [row.id],
      );
      faults.push(
        ...cellFaults(
          cellOf(row),
          members.map(({ vector }) => vectorFromText(vector)),
        ),
      );
    }
    return faults;
  }

  async #digests(): Promise<Map<string, string>> {
    type Row = { name: string; trial: string | null; window: number | null; digest: string };
    const rows = await this.rows<Row>(
      `select name, cast(null as text) as trial, cast(null as integer) as "window", digest from run
       union all select name, trial, cast(null as integer), outcome.digest from outcome join run on run.id = run
       union all select name, trial, "window", observation.digest from observation join run on run.id = run`,
    );
    return new Map(
      rows.map(({ name, trial, window, digest }) => [
        trial === null ? `run ${name}` : trialName(name, trial, window ?? undefined),
        digest,
      ]),
    );
  }

  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    return this.guarded(() => locked(this.client, this.#opened, work, this.#waitMs));
  }
}
