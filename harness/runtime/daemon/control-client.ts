// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { ControlMethods, ControlResponse } from '../contracts.ts';

/** One connection to a daemon's control socket; requests are answered in any order. */
export interface ControlClient {
  call<M extends keyof ControlMethods>(
    method: M,
    params: ControlMethods[M]['params'],
  ): Promise<ControlMethods[M]['result']>;
  close(): void;
}

/** What the daemon answered that it will not do. */
export class ControlRefusal extends PmvxError {
  readonly reason: string;

  constructor(reason: string, message: string, next: string | undefined) {
    super(ExitCode.usage, { where: 'pmvx autotune', what: message, ...(next === undefined ? {} : { next }) });
    this.reason = reason;
  }
}

const PATIENCE_MS = 30_000;

/** Connects; throws PmvxError when no daemon listens there, or this user may not. */
export async function connectControl(path: string): Promise<ControlClient> {
  const socket = connect(path);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error: NodeJS.ErrnoException) => reject(noDaemon(path, error)));
  });
  let lostFor: PmvxError | undefined;
  const lost = () => {
    const error = new PmvxError(ExitCode.environment, {
      where: path,
      what: 'the daemon closed the connection',
      next: 'Look whether it still runs: pmvx autotune status',
    });
    lostFor ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  socket.on('error', lost);
  socket.on('close', lost);
  socket.setEncoding('utf8');
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const response = JSON.parse(text.slice(0, end)) as ControlResponse;
      text = text.slice(end + 1);
      const caller = waiting.get(Number(response.id));
      waiting.delete(Number(response.id));
      if ('error' in response) {
        const { code, message, next } = response.error;
        caller?.reject(new ControlRefusal(code, message, next));
      } else caller?.resolve(response.result);
    }
  });
  let id = 0;
  return {
    async call(method, params) {
      if (lostFor !== undefined) throw lostFor;
      const answer = Promise.withResolvers<unknown>();
      waiting.set(++id, answer);
      socket.write(`${JSON.stringify({ id, method, params })}\n`);
      const timer = setTimeout(
        () =>
          answer.reject(
            new PmvxError(ExitCode.environment, {
              where: path,
              what: `the daemon did not answer within ${PATIENCE_MS / 1000} s`,
              next: 'Look at its log',
            }),
          ),
        PATIENCE_MS,
      );
      try {
        return (await answer.promise) as never;
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => void socket.destroy(),
  };
}

function noDaemon(path: string, error: NodeJS.ErrnoException): PmvxError {
  const [what, next] =
    error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      ? ['no pmvx autotune listens here', 'Start it, or give its socket with --socket']
      : error.code === 'EACCES' || error.code === 'EPERM'
        ? ['this user may not talk to pmvx autotune', 'Ask as root, or as the user that it runs as']
        : [`the control socket does not answer: ${error.message}`, 'Give its socket with --socket'];
  return new PmvxError(ExitCode.environment, { where: path, what, next }, { cause: error });
}
