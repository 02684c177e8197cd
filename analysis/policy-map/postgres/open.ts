// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { ExitCode, PmvxError } from '../../../harness/core/errors.ts';
import type { MapKind } from '../policy-map.ts';
import { requireKind } from '../store/require-kind.ts';
import type { SqlClient } from './client.ts';
import { postgresFault } from './faults.ts';
import { MIGRATIONS } from './schema.ts';

export interface OpenSchema {
  readonly client: SqlClient;
  readonly kind: MapKind;
  /** What errors call the map. */
  readonly where: string;
  /** Name of the PostgreSQL schema. */
  readonly schema: string;
}

const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * The address without what is ours: `?map=NAME` names the PostgreSQL schema of the map (default `pmvx`). `where` is the address as it may be shown,
 * without a password.
 */
export function parseAddress(address: string): {
  readonly url: string;
  readonly where: string;
  readonly schema: string;
} {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    const next = 'Write it like postgres://user@host:5432/database?map=name';
    throw new PmvxError(ExitCode.usage, {
      where: '--map',
      what: 'not the address of a PostgreSQL database',
      next,
    });
  }
  const schema = url.searchParams.get('map') ?? 'pmvx';
  if (!SCHEMA.test(schema)) {
    const what = `${JSON.stringify(schema)} cannot name a map`;
    throw new PmvxError(ExitCode.usage, {
      where: '--map',
      what,
      next: 'Use small letters, digits and underscores',
    });
  }
  url.searchParams.delete('map');
  const shown = new URL(url);
  shown.password = '';
  return { url: url.href, where: `${shown.href}?map=${schema}`, schema };
}

/** Uses the map in `schema`; with `kind` it is made when there is none, and must be of that kind otherwise. */
export async function openSchema(
  client: SqlClient,
  {
    schema,
    where,
    kind,
    write,
  }: { schema: string; where: string; kind?: MapKind | undefined; write: boolean },
): Promise<OpenSchema> {
  try {
    // Where the extension lives is the server's matter; most have it in public.
    await client.query(`set search_path to ${schema}, public`);
    if (write) {
      await locked(client, { schema, where }, async () => {
        if (!(await exists(client, schema)) && kind !== undefined) await create(client, schema, kind);
        await requireMap(client, schema, where);
        await migrate(client);
      });
    } else await requireMap(client, schema, where);
    const version = Number(await setting(client, 'schema'));
    if (version !== MIGRATIONS.length) {
      throw new PmvxError(ExitCode.usage, {
        where,
        what: `the map has schema version ${version}, and this pmvx knows ${MIGRATIONS.length}`,
        next:
          version > MIGRATIONS.length ? 'Use the pmvx that wrote it' : 'pmvx map check brings it up to date',
      });
    }
    const known = {
      features: (await setting(client, 'features')) ?? '',
      dimensions: Number(await setting(client, 'dimensions')),
    };
    if (kind !== undefined) requireKind(where, known, kind);
    return { client, kind: known, where, schema };
  } catch (error) {
    throw postgresFault(error, where);
  }
}

/** How long a writer waits for another, in milliseconds. */
const WAIT_MS = 5000;

/** Runs `work` in a transaction that no other writer of this map shares. */
export async function locked<T>(
  client: SqlClient,
  { schema, where }: Pick<OpenSchema, 'schema' | 'where'>,
  work: () => Promise<T>,
  waitMs = WAIT_MS,
): Promise<T> {
  await client.query('begin');
  try {
    const lock = 'select pg_try_advisory_xact_lock(hashtext($1)) as got';
    const deadline = Date.now() + waitMs;
    for (;;) {
      const { rows } = await client.query<{ got: boolean }>(lock, [`pmvx ${schema}`]);
      if (rows[0]?.got === true) break;
      if (Date.now() > deadline) {
        const next = 'Wait until it has ended, then try again; nothing was changed';
        throw new PmvxError(ExitCode.environment, {
          where,
          what: 'another process is writing to the map',
          next,
        });
      }
      await delay(100);
    }
    const done = await work();
    await client.query('commit');
    return done;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function exists(client: SqlClient, schema: string): Promise<boolean> {
  // Not information_schema, which shows no tables that this user may not use.
  const { rows } = await client.query('select 1 from pg_tables where schemaname = $1', [schema]);
  return rows.length > 0;
}

async function requireMap(client: SqlClient, schema: string, where: string): Promise<void> {
  if (!(await exists(client, schema))) {
    const next = 'pmvx learn RUN --map ADDRESS makes one';
    throw new PmvxError(ExitCode.usage, { where, what: 'there is no such map', next });
  }
  const { rows: may } = await client.query<{ may: boolean }>(
    "select has_schema_privilege($1, 'usage') as may",
    [schema],
  );
  if (may[0]?.may !== true) {
    const next = 'Whoever made the map lets you: pmvx map grant MAP ROLE';
    throw new PmvxError(ExitCode.environment, { where, what: 'this user may not do that', next });
  }
  const { rows } = await client.query(
    `select 1 from pg_tables where schemaname = $1 and tablename = 'setting'`,
    [schema],
  );
  if (rows.length > 0 && (await setting(client, 'application')) === 'pmvx') return;
  const what = `not a policy map: schema ${schema} holds tables of another program`;
  throw new PmvxError(ExitCode.usage, {
    where,
    what,
    next: 'Choose another with ?map=NAME; nothing was changed',
  });
}

async function create(client: SqlClient, schema: string, kind: MapKind): Promise<void> {
  await client.query(`create schema if not exists ${schema}`);
  // Two maps of one database may be made at once, and "if not exists" does not hold against that.
  await client.query("select pg_advisory_xact_lock(hashtext('pmvx extension'))");
  await client.query('create extension if not exists vector with schema public');
  await client.query('create table setting (name text primary key, value text not null)');
  const settings = {
    application: 'pmvx',
    schema: '0',
    features: kind.features,
    dimensions: String(kind.dimensions),
    changes: '0',
  };
  for (const [name, value] of Object.entries(settings)) {
    await client.query('insert into setting values ($1, $2)', [name, value]);
  }
}

async function migrate(client: SqlClient): Promise<void> {
  const dimensions = Number(await setting(client, 'dimensions'));
  for (let version = Number(await setting(client, 'schema')); version < MIGRATIONS.length; version++) {
    const step = (MIGRATIONS[version] as string).replaceAll('vector(D)', `vector(${dimensions})`);
    for (const statement of step.split(';')) if (statement.trim() !== '') await client.query(statement);
    await client.query(`update setting set value = $1 where name = 'schema'`, [String(version + 1)]);
  }
}

export async function setting(client: SqlClient, name: string): Promise<string | undefined> {
  const { rows } = await client.query<{ value: string }>('select value from setting where name = $1', [name]);
  return rows[0]?.value;
}
