// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import test from 'ava';
import pg from 'pg';
import { testMapContract } from '../map-contract.ts';
import { SAMPLE_KIND, sampleOutcome, sampleRunEvidence } from '../sample-evidence.ts';
import type { SqlClient } from './client.ts';
import { openPostgresMap } from './connect.ts';
import { grantAccess } from './grant.ts';
import { openSchema, parseAddress } from './open.ts';
import { PostgresMap } from './writer.ts';

/** Address of a real server with pgvector, whose maps `pmvx_test_*` these tests make and drop. Without it PostgreSQL runs in this process. */
const SERVER = process.env.PMVX_TEST_POSTGRES;
const own = `pmvx_test_${randomBytes(4).toString('hex')}`;

if (SERVER === undefined) {
  const server = await PGlite.create({ extensions: { vector } });
  test.after.always(() => server.close());
  // It has one session for all, so of a test's statements and another's only one may run: hence no two writers, and serial.
  testMapContract(
    ((title: string, run: never) =>
      title.startsWith('of two writers') ? test.skip(title, run) : test.serial(title, run)) as typeof test,
    async (_t, kind, name) => {
      const client: SqlClient = {
        query: (sql, parameters) => server.query(sql, parameters as never),
        end: async () => undefined,
      };
      const given = { schema: `${own}_${name}`, where: name };
      return new PostgresMap(await openSchema(client, { ...given, kind, write: true }));
    },
  );
} else {
  const address = (name: string) => {
    const url = new URL(SERVER);
    url.searchParams.set('map', `${own}_${name}`);
    return url.href;
  };
  const made = new Set<string>();
  test.after.always(async () => {
    const client = new pg.Client({ connectionString: SERVER });
    await client.connect();
    for (const name of made) await client.query(`drop schema if exists ${own}_${name} cascade`);
    await client.end();
  });
  testMapContract(test, async (t, kind, name) => {
    made.add(name);
    const map = await openPostgresMap(address(name), kind, 300);
    t.teardown(() => map.close());
    return map;
  });
}

test('an address is shown without its password', (t) => {
  const { url, where, schema } = parseAddress('postgres://me:secret@db.example/maps?map=lab&sslmode=require');
  t.is(url, 'postgres://me:secret@db.example/maps?sslmode=require');
  t.false(where.includes('secret'));
  t.is(schema, 'lab');
  t.is(parseAddress('postgres://db.example/maps').schema, 'pmvx');
  t.throws(() => parseAddress('postgres://h/d?map=x;drop'), { message: /cannot name a map/ });
});

test('a server that is not there is one clear answer', async (t) => {
  await t.throwsAsync(openPostgresMap('postgres://127.0.0.1:1/none', SAMPLE_KIND), {
    message: /^postgres:\/\/127.0.0.1:1\/none\?map=pmvx: no PostgreSQL server answers there/,
  });
});

test.serial('a role that may read cannot write, and one that may learn cannot do more', async (t) => {
  const server = await PGlite.create({ extensions: { vector } });
  t.teardown(() => server.close());
  const client: SqlClient = {
    query: (sql, parameters) => server.query(sql, parameters as never),
    end: async () => undefined,
  };
  const given = { schema: 'lab', where: 'lab' };
  const owned = new PostgresMap(await openSchema(client, { ...given, kind: SAMPLE_KIND, write: true }));
  await owned.learn([sampleRunEvidence()]);
  for (const role of ['reader', 'learner']) await client.query(`create role ${role}`);
  const refused = (what: Promise<unknown>) =>
    t.throwsAsync(what, { message: /may not do that|permission denied/ });

  await client.query('set role reader');
  await refused(openSchema(client, { ...given, write: false }));
  await client.query('reset role');
  // More than it shall have is taken back.
  await grantAccess(client, given, { role: 'reader', access: 'learn' });
  await grantAccess(client, given, { role: 'reader', access: 'read' });
  await grantAccess(client, given, { role: 'learner', access: 'learn' });

  await client.query('set role reader');
  const reader = new PostgresMap(await openSchema(client, { ...given, write: false }));
  t.deepEqual(await reader.verify(), []);
  await refused(reader.learn([sampleOutcome({ workload: 'w9' })]));

  await client.query('set role learner');
  const learner = new PostgresMap(await openSchema(client, { ...given, kind: SAMPLE_KIND, write: true }));
  t.is((await learner.learn([sampleOutcome({ workload: 'w9' })])).outcomes, 1);
  for (const sql of ['drop table lab.outcome', 'truncate lab.outcome', 'create table lab.mine (a int)'])
    await t.throwsAsync(client.query(sql), { message: /must be owner|permission denied/ });

  await client.query('reset role');
  t.deepEqual(await owned.verify(), []);
  const bad = grantAccess(client, given, { role: 'x"; drop schema lab; --', access: 'read' });
  await t.throwsAsync(bad, { message: /cannot name a role/ });
  const grant = (role: string) => grantAccess(client, given, { role, access: 'read' });
  await t.throwsAsync(grant('postgres'), { message: /role: postgres is who asks/ });
  await t.throwsAsync(grant('nobody'), {
    message: /lab: there is no such role \(role "nobody" does not exist\)/,
  });
  t.is((await owned.learn([sampleOutcome({ workload: 'w8', trial: '0099' })])).outcomes, 1);
});
