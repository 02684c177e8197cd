// SPDX-License-Identifier: Apache-2.0
import { Duplex } from 'node:stream';
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
      Buffer.from(`${GREETING}{"return":{"status":"completed"}}\n{"event":"STOP"}\n`),
      Buffer.from(`${GREETING}{"event":"STOP"}\n{"return":{"status":"completed"}}\n`),
      Buffer.from(`${GREETING}{"error":{"class":"GenericError","desc":"no"}}\n`),
    ],
    words: ['"QMP"', '"event":"STOP"', '"return":', '"error":', '"desc":"x"', '{"return":{}}\n'],
    async read(input) {
      const stream = emulator(input);
      try {
        const monitor = await openMonitor(stream);
        const answer = await monitor.command('query-migrate');
        await monitor.event('STOP');
        return answer === undefined ? 'accepted without an answer' : ACCEPTED;
      } catch (error) {
        return wordsOf(error instanceof Error && error.constructor === Error ? error.message : thrown(error));
      } finally {
        stream.destroy();
      }
    },
  };
}

/** Says what comes up to the next answer when a command was sent, and when it is long silent. */
function emulator(input: Buffer): Duplex {
  let rest = input;
  let turn = 0;
  const say = () => {
    const said = rest.subarray(0, answerEnd(rest));
    rest = rest.subarray(said.length);
    stream.push(said.length === 0 ? null : said);
    const now = ++turn;
    if (said.length > 0) setImmediate(() => now === turn && say());
  };
  const stream = new Duplex({
    read() {},
    write(_command, _encoding, done) {
      say();
      done();
    },
  });
  say();
  return stream;
}

/** Where the first line ends that is the greeting or an answer. */
function answerEnd(bytes: Buffer): number {
  const places = ['"QMP"', '"return"', '"error"'].map((word) => bytes.indexOf(word)).filter((at) => at >= 0);
  const end = bytes.indexOf(10, Math.min(...places, bytes.length));
  return end < 0 ? bytes.length : end + 1;
}

function thrown(error: unknown): never {
  throw error;
}
