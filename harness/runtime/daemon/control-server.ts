// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { ControlResponse } from '../contracts.ts';
import { ControlError, type Methods } from './methods.ts';

/** Longest request, in characters. */
const LONGEST = 64 * 1024;
/** Requests of one client that are under way; until they are fewer nothing more is read of it. */
const MOST_UNDER_WAY = 16;

/**
 * Answers JSON lines on a UNIX socket. Who may connect is the socket's file permission: `mode` 0600, the daemon's own user. The lock has
 * been taken, so that a socket that is there already is a dead daemon's.
 */
export async function openControl(path: string, methods: Methods, mode = 0o600): Promise<Server> {
  const refuse = (what: string, cause?: unknown) =>
    new PmvxError(
      ExitCode.environment,
      { where: path, what, next: 'Choose another place with --socket' },
      { cause },
    );
  if (existsSync(path)) {
    if (!lstatSync(path).isSocket()) throw refuse('the control socket cannot be made: another file is there');
    rmSync(path);
  }
  const server = createServer((socket) => serve(socket, methods));
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw refuse(`its folder cannot be made: ${(error as Error).message}`, error);
  }
  // Nobody must get in between the socket is made and its mode is set.
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    chmodSync(path, mode);
  } catch (error) {
    server.close();
    throw refuse(`the control socket cannot be made: ${(error as Error).message}`, error);
  } finally {
    process.umask(umask);
  }
  server.unref();
  return server;
}

function serve(socket: Socket, methods: Methods): void {
  let text = '';
  socket.setEncoding('utf8');
  let underWay = 0;
  // A client that stays must not keep a daemon from ending.
  socket.unref();
  // Whoever leaves early is no fault.
  socket.on('error', () => socket.destroy());
  const say = (response: ControlResponse) => void socket.write(`${JSON.stringify(response)}\n`);
  // A client that asks and does not read has its answers wait in its own socket, not here.
  const next = () => {
    while (underWay < MOST_UNDER_WAY && !socket.writableNeedDrain) {
      const end = text.indexOf('\n');
      if (end < 0) break;
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      if (line.trim() === '') continue;
      underWay++;
      void answer(line, methods).then((response) => {
        underWay--;
        say(response);
        next();
      });
    }
    if (text.includes('\n')) socket.pause();
    else socket.resume();
  };
  socket.on('drain', next);
  socket.on('data', (chunk: string) => {
    text += chunk;
    next();
    if (text.includes('\n') || text.length <= LONGEST) return;
    say({
      id: null,
      error: { code: 'bad-request', message: `a request has at most ${LONGEST} characters, on one line` },
    });
    socket.end();
  });
}

async function answer(line: string, methods: Methods): Promise<ControlResponse> {
  let id: number | string | null = null;
  try {
    const request = parse(line);
    id = request.id;
    const method = Object.hasOwn(methods, request.method)
      ? methods[request.method as keyof Methods]
      : undefined;
    if (method === undefined) {
      const known = Object.keys(methods).join(', ');
      throw new ControlError(
        'unknown-method',
        `there is no method ${JSON.stringify(request.method)}`,
        `There are: ${known}`,
      );
    }
    return { id, result: await method(request.params) };
  } catch (error) {
    if (error instanceof ControlError) {
      const { code, message, next } = error;
      return { id, error: { code, message, ...(next === undefined ? {} : { next }) } };
    }
    return {
      id,
      error: { code: 'internal', message: error instanceof Error ? error.message : String(error) },
    };
  }
}

function parse(line: string): {
  readonly id: number | string;
  readonly method: string;
  readonly params: unknown;
} {
  const next = 'Send {"id": 1, "method": "status", "params": {}}';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ControlError('bad-request', 'the request is not valid JSON', next);
  }
  const { id, method, params = {} } = (value ?? {}) as { id?: unknown; method?: unknown; params?: unknown };
  if (typeof id !== 'number' && typeof id !== 'string')
    throw new ControlError('bad-request', 'the request has no id', next);
  if (typeof method !== 'string') throw new ControlError('bad-request', 'the request has no method', next);
  return { id, method, params };
}
