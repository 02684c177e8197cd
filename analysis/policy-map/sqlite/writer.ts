// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '../evidence.ts';
import type { LearnReport, MapKind, PolicyMap, Settle } from '../policy-map.ts';
import { learnInto } from '../store/learner.ts';
import { sqliteFault } from './faults.ts';
import { openToWrite } from './open.ts';
import { SqliteReader } from './reader.ts';
import { SqliteTables } from './tables.ts';
import { verifySqlite } from './verify.ts';

/**
 * Opens the map at `path` to write. With `kind` it is made when there is none, and must be of that kind otherwise; without, it must
 * exist. `waitMs`: how long to wait for another writer.
 */
export function openSqliteMap(path: string, kind?: MapKind, waitMs?: number): PolicyMap {
  return new SqliteMap(openToWrite(path, kind, waitMs), path);
}

class SqliteMap extends SqliteReader implements PolicyMap {
  async learn(evidence: Iterable<Evidence> | AsyncIterable<Evidence>, settle?: Settle): Promise<LearnReport> {
    return this.#transaction(async () => {
      const report = await learnInto(new SqliteTables(this.db), this.kind, evidence);
      this.forget();
      for (const [name, value] of (await settle?.(this)) ?? []) this.#set(name, value);
      return report;
    });
  }

  async setSetting(name: string, value: string): Promise<void> {
    await this.#transaction(async () => this.#set(name, value));
  }

  #set(name: string, value: string): void {
    this.db
      .prepare('insert into setting values (?, ?) on conflict (name) do update set value = excluded.value')
      .run(name, value);
  }

  async verify(): Promise<string[]> {
    return verifySqlite(this.db, this);
  }

  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    try {
      // At once, not at the first write: two that read first and write then could both be refused.
      this.db.exec('begin immediate');
      try {
        const done = await work();
        this.db.exec('commit');
        return done;
      } catch (error) {
        if (this.db.isTransaction) this.db.exec('rollback');
        throw error;
      }
    } catch (error) {
      throw sqliteFault(error, this.path);
    } finally {
      this.forget();
    }
  }
}
