// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import pg from 'pg';
import type { MapKind, PolicyMap, PolicyMapReader } from '../policy-map.ts';
import type { SqlClient } from './client.ts';
import { postgresFault } from './faults.ts';
import { type Access, grantAccess } from './grant.ts';
import { openSchema, parseAddress } from './open.ts';
import { PostgresReader } from './reader.ts';
import { PostgresMap } from './writer.ts';

const CONNECT_MS = 10_000;
/** How long a server may take to answer a query of a reader, and of a writer, which may wait for another one; ms. */
const READ_MS = 10_000;
const WRITE_MS = 600_000;
/** How long the end of a connection is waited for, ms. */
const END_MS = 1000;

/** Opens the map at a PostgreSQL address to read; it must exist. */
export async function readPostgresMap(address: string, queryMs = READ_MS): Promise<PolicyMapReader> {
  const { client, where, schema } = await connect(address, queryMs);
  return closing(
    client,
    async () => new PostgresReader(await openSchema(client, { schema, where, write: false })),
  );
}

/** Opens the map at a PostgreSQL address to write; with `kind` it is made when there is none. */
export async function openPostgresMap(address: string, kind?: MapKind, waitMs?: number): Promise<PolicyMap> {
  const { client, where, schema } = await connect(address, WRITE_MS);
  return closing(
    client,
    async () => new PostgresMap(await openSchema(client, { schema, where, kind, write: true }), waitMs),
  );
}

/** Lets a role of the server read the map at an address, or learn. */
export async function grantPostgresAccess(address: string, role: string, access: Access): Promise<void> {
  const { client, where, schema } = await connect(address, WRITE_MS);
  try {
    await grantAccess(client, { schema, where }, { role, access });
  } finally {
    await client.end();
  }
}

async function connect(
  address: string,
  queryMs: number,
): Promise<{ client: SqlClient; where: string; schema: string }> {
  const { url, where, schema } = parseAddress(address);
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: queryMs,
    application_name: 'pmvx',
  });
  // A connection that is lost between two queries must not end the process; the next query reports it.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw postgresFault(error, where);
  }
  return { client: limited(client, queryMs), where, schema };
}

/** The client as a map needs it: a server that does not answer is an error with a code, and no reason to wait for its goodbye. */
function limited(client: pg.Client, queryMs: number): SqlClient {
  return {
    async query<T>(sql: string, parameters?: unknown[]) {
      try {
        return (await client.query(sql, parameters)) as unknown as { readonly rows: T[] };
      } catch (error) {
        if (!(error instanceof Error) || error.message !== 'Query read timeout') throw error;
        const words = `no answer to a query within ${queryMs / 1000} s`;
        throw Object.assign(new Error(words, { cause: error }), { code: 'ETIMEDOUT' });
      }
    },
    async end() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, END_MS);
      });
      const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } })
        .connection;
      await Promise.race([client.end(), late]);
      clearTimeout(timer);
      stream.destroy();
    },
  };
}

async function closing<T>(client: SqlClient, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await client.end();
    throw error;
  }
}
