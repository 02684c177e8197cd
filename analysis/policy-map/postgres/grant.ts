// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../../harness/core/errors.ts';
import type { SqlClient } from './client.ts';
import { postgresFault } from './faults.ts';
import { locked, openSchema } from './open.ts';

export type Access = 'read' | 'learn';

const ROLE = /^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/;

/** What a role may do with the tables of a map; never alter, drop or empty one, nor make another. */
const RIGHTS: Readonly<Record<Access, string>> = { read: 'select', learn: 'select, insert, update, delete' };

/**
 * Lets a role that exists `read` a map, or `learn`: add evidence. Rights that it had on the map's tables are taken away before. Who calls it owns the map, and alone can
 * bring its schema up to date.
 */
export async function grantAccess(
  client: SqlClient,
  { schema, where }: { readonly schema: string; readonly where: string },
  { role, access }: { readonly role: string; readonly access: Access },
): Promise<void> {
  if (!ROLE.test(role)) {
    throw new PmvxError(ExitCode.usage, {
      where: 'role',
      what: `${JSON.stringify(role)} cannot name a role`,
      next: 'Use letters, digits, and . _ - within the name',
    });
  }
  await openSchema(client, { schema, where, write: false });
  try {
    const { rows } = await client.query<{ me: string }>('select current_user as me');
    if (rows[0]?.me === role) {
      throw new PmvxError(ExitCode.usage, {
        where: 'role',
        what: `${role} is who asks, and would lose rights`,
        next: 'Name another role; whoever made the map may do everything',
      });
    }
    await locked(client, { schema, where }, async () => {
      const tables = `all tables in schema ${schema}`;
      await client.query(`revoke all on ${tables} from "${role}"`);
      await client.query(`revoke all on schema ${schema} from "${role}"`);
      await client.query(`grant usage on schema ${schema} to "${role}"`);
      await client.query(`grant ${RIGHTS[access]} on ${tables} to "${role}"`);
      // Tables of later versions of the schema, which the owner makes.
      await client.query(`alter default privileges in schema ${schema} revoke all on tables from "${role}"`);
      await client.query(
        `alter default privileges in schema ${schema} grant ${RIGHTS[access]} on tables to "${role}"`,
      );
    });
  } catch (error) {
    throw postgresFault(error, where);
  }
}
