// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, lstatSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { OPEN_METRICS_TYPE } from './metrics.ts';
import { writeTextFile } from './state-file.ts';

export interface MetricsPlace {
  /** To be called after each window. */
  update(): Promise<void>;
  close(): void;
}

/**
 * Serves metrics where `--metrics` says: `unix:PATH` and `HOST:PORT` answer HTTP, anything else is a file that is replaced after each
 * window (node_exporter's textfile collector reads such).
 */
export async function openMetricsPlace(place: string, text: () => Promise<string>): Promise<MetricsPlace> {
  const unix = /^unix:(.+)$/.exec(place)?.[1];
  const [, host, port] = /^(?:\[?([^[\]/]*)\]?):(\d{1,5})$/.exec(place) ?? [];
  if (unix === undefined && port === undefined) {
    return { update: async () => writeTextFile(place, await text()), close: () => undefined };
  }
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' && request.url !== '/') {
      response.writeHead(404).end();
      return;
    }
    text().then(
      (body) => response.writeHead(200, { 'content-type': OPEN_METRICS_TYPE }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  try {
    if (unix !== undefined && existsSync(unix) && lstatSync(unix).isSocket()) rmSync(unix);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (unix !== undefined) server.listen(unix, resolve);
      else server.listen(Number(port), host === '' ? '127.0.0.1' : host, resolve);
    });
    if (unix !== undefined) chmodSync(unix, 0o660);
  } catch (error) {
    throw new PmvxError(
      ExitCode.environment,
      {
        where: place,
        what: `metrics cannot be served: ${(error as Error).message}`,
        next: 'Give a file, unix:PATH or HOST:PORT that is free with --metrics',
      },
      { cause: error },
    );
  }
  server.unref();
  // A reader that keeps its connection must not keep a daemon from ending.
  server.on('connection', (socket) => socket.unref());
  return { update: async () => undefined, close: () => void server.close() };
}
