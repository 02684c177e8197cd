// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../../harness/core/errors.ts';

/** SQLSTATE codes (PostgreSQL manual, appendix A) and system errors that a user can do something about. */
const KNOWN: Readonly<Record<string, readonly [what: string, next: string]>> = {
  ECONNREFUSED: ['no PostgreSQL server answers there', 'Check host and port, and that the server runs'],
  ENOTFOUND: ['there is no such host', 'Check the name in the address'],
  EAI_AGAIN: ['the host cannot be found now', 'Check the name in the address, and the network'],
  ETIMEDOUT: ['the server does not answer', 'Check host and port'],
  '28P01': ['the server refuses the password', 'Check user and password in the address, or set PGPASSWORD'],
  '28000': ['the server refuses this user', 'Check the user in the address'],
  '3D000': ['there is no such database', 'Make it (createdb), or check the address'],
  '42501': ['this user may not do that', 'Grant it, or use another user'],
  '42704': ['there is no such role', 'A superuser makes it: create role NAME login'],
  '0A000': [
    'the server has no pgvector',
    'Install it (Debian: postgresql-<version>-pgvector); a superuser then says: create extension vector',
  ],
  '58P01': [
    'the server has no pgvector',
    'Install it (Debian: postgresql-<version>-pgvector); a superuser then says: create extension vector',
  ],
  '53100': ['the server has no space left', 'Free some; nothing was changed'],
  '53300': ['the server has too many connections', 'Try again later'],
  '57P01': ['the server was shut down', 'Try again later; nothing was changed'],
  '08006': ['the connection was lost', 'Try again; nothing was changed'],
  ECONNRESET: ['the connection was lost', 'Try again; nothing was changed'],
};

/** The `PmvxError` for what a server said; an error of another kind comes back unchanged. */
export function postgresFault(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error instanceof PmvxError || !('code' in error)) return error;
  const known = KNOWN[String(error.code)];
  if (known === undefined) return error;
  const [what, next] = known;
  const words = error.message === '' ? String(error.code) : error.message;
  return new PmvxError(ExitCode.environment, { where, what: `${what} (${words})`, next }, { cause: error });
}
