// SPDX-License-Identifier: Apache-2.0

/** The part of a connection to PostgreSQL that a map needs; both `pg` and PGlite fulfil it. */
export interface SqlClient {
  query<T>(sql: string, parameters?: unknown[]): Promise<{ readonly rows: T[] }>;
  end(): Promise<void>;
}
