// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import test from 'ava';
import { readPostgresMap } from './connect.ts';

/** The protocol's messages (PostgreSQL manual, 54.7): AuthenticationOk, and ReadyForQuery while idle. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);

test('a server that lets one in and then says nothing is an error, in time, with what to do', async (t) => {
  const server = createServer((socket) => {
    socket.once('data', () => socket.write(WELCOME));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await t.throwsAsync(readPostgresMap(`postgres://nobody@127.0.0.1:${port}/maps`, 100), {
    message: /the server does not answer \(no answer to a query within 0.1 s\)/,
  });
  // The connection is not left open.
  await new Promise((resolve) => server.close(resolve));
});
