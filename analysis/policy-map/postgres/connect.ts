// SPDX-License-Identifier: Apache-2.0
import pg from 'pg';
import type { MapKind, PolicyMap, PolicyMapReader } from '../policy-map.ts';
import type { SqlClient } from './client.ts';
import { postgresFault } from './faults.ts';
import { type Access, grantAccess } from './grant.ts';
import { openSchema, parseAddress } from './open.ts';
import { PostgresReader } from './reader.ts';
import { PostgresMap } from './writer.ts';

const CONNECT_MS = 10_000;

/** Opens the map at a PostgreSQL address to read; it must exist. */
export async function readPostgresMap(address: string): Promise<PolicyMapReader> {
  const { client, where, schema } = await connect(address);
  return closing(
    client,
    async () => new PostgresReader(await openSchema(client, { schema, where, write: false })),
  );
}

/** Opens the map at a PostgreSQL address to write; with `kind` it is made when there is none. */
export async function openPostgresMap(address: string, kind?: MapKind, waitMs?: number): Promise<PolicyMap> {
  const { client, where, schema } = await connect(address);
  return closing(
    client,
    async () => new PostgresMap(await openSchema(client, { schema, where, kind, write: true }), waitMs),
  );
}

/** Lets a role of the server read the map at an address, or learn. */
export async function grantPostgresAccess(address: string, role: string, access: Access): Promise<void> {
  const { client, where, schema } = await connect(address);
  try {
    await grantAccess(client, { schema, where }, { role, access });
  } finally {
    await client.end();
  }
}

async function connect(address: string): Promise<{ client: SqlClient; where: string; schema: string }> {
  const { url, where, schema } = parseAddress(address);
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'pmvx',
  });
  // A connection that is lost between two queries must not end the process; the next query reports it.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw postgresFault(error, where);
  }
  return { client: client as unknown as SqlClient, where, schema };
}

async function closing<T>(client: SqlClient, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await client.end();
    throw error;
  }
}
