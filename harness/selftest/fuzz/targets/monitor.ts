// SPDX-License-Identifier: Apache-2.0
import { PassThrough } from 'node:stream';
import { openMonitor } from '../../../lab/fork/monitor.ts';
import { ACCEPTED } from '../fuzz.ts';
import { type Target, wordsOf } from '../target.ts';

const GREETING = '{"QMP":{"version":{},"capabilities":[]}}\n{"return":{}}\n';

/** What an emulator says on its monitor, which a guest may have taken over. */
export function monitorTarget(): Target {
  return {
    name: 'monitor',
    about: "an emulator's monitor (QMP)",
    mostBytes: 65_536,
    seeds: [
      Buffer.from(`${GREETING}{"event":"STOP"}\n{"return":{"status":"completed"}}\n`),
      Buffer.from(`${GREETING}{"error":{"class":"GenericError","desc":"no"}}\n`),
    ],
    words: ['"QMP"', '"event":"STOP"', '"return":', '"error":', '"desc":"x"', '{"return":{}}\n'],
    async read(input) {
      const stream = new PassThrough();
      stream.end(input);
      try {
        const monitor = await openMonitor(stream);
        await monitor.event('STOP');
        await monitor.command('query-migrate');
        return ACCEPTED;
      } catch (error) {
        return wordsOf(error instanceof Error && error.constructor === Error ? error.message : thrown(error));
      }
    },
  };
}

function thrown(error: unknown): never {
  throw error;
}
