// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ExitCode, PmvxError } from '../../../harness/core/errors.ts';
import { postgresFault } from './faults.ts';

const said = (code: unknown, message = 'its words') => Object.assign(new Error(message), { code });

/** What the manual's appendix A and libuv call these, in our words. */
const MEANT: Readonly<Record<string, RegExp>> = {
  ECONNREFUSED: /no PostgreSQL server answers .*Check host and port, and that the server runs/,
  ENOTFOUND: /no such host .*Check the name/,
  EAI_AGAIN: /cannot be found now .*and the network/,
  ETIMEDOUT: /does not answer .*Check host and port/,
  '28P01': /refuses the password .*PGPASSWORD/,
  '28000': /refuses this user .*Check the user/,
  '3D000': /no such database .*createdb/,
  '42501': /may not do that .*Grant it/,
  '42704': /no such role .*create role/,
  '0A000': /no pgvector .*create extension vector/,
  '58P01': /no pgvector .*create extension vector/,
  '53100': /no space left .*nothing was changed/,
  '53300': /too many connections .*later/,
  '57P01': /was shut down .*nothing was changed/,
  '08006': /connection was lost .*nothing was changed/,
  ECONNRESET: /connection was lost .*nothing was changed/,
};

test('what a user can do something about has its words, those of the server and a next step', (t) => {
  for (const [code, words] of Object.entries(MEANT)) {
    const cause = said(code);
    const fault = postgresFault(cause, 'postgres://db');
    if (!(fault instanceof PmvxError)) return t.fail(code);
    t.regex(fault.message, words, code);
    t.regex(fault.message, /^postgres:\/\/db: .*\(its words\)/);
    t.is(fault.cause, cause);
    t.is(fault.code, ExitCode.environment);
  }
});

test('an error without words is told by its code; what nobody knows comes back as it is', (t) => {
  t.regex((postgresFault(said('ETIMEDOUT', ''), 'x') as Error).message, /\(ETIMEDOUT\)/);
  const known = postgresFault(said('28000'), 'x');
  for (const other of [said('99999'), new Error('none'), 'text', undefined, known])
    t.is(postgresFault(other, 'y'), other);
});
