// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { describeTrace } from '../../../trace/describe.ts';
import { SAMPLE_TRACE } from '../../../trace/sample-trace.ts';
import { decodeTrace, encodeTrace } from '../../../trace/trace-file.ts';
import { ACCEPTED } from '../fuzz.ts';
import { filesAt } from '../seeds.ts';
import { Finding, type Target, wordsOf } from '../target.ts';

/** Trace files, which specs name. */
export function traceTarget(root: string): Target {
  return {
    name: 'trace',
    about: 'trace files',
    mostBytes: 131_072,
    seeds: [encodeTrace(SAMPLE_TRACE), ...filesAt(root, 'workloads/replay/**/*.trace', 131_072)],
    words: [
      'r1000',
      'w1',
      'b0',
      'x1',
      's5',
      'p5',
      'cff',
      'n0',
      'f50',
      '"tasks":2',
      '"origin":',
      '"figures":',
      '%00',
      '-',
    ],
    seal: sealed,
    read(input) {
      try {
        const trace = decodeTrace(input);
        if (!encodeTrace(decodeTrace(encodeTrace(trace))).equals(encodeTrace(trace)))
          throw new Finding('a trace is not read as it is written');
        describeTrace(trace, (rows) => rows.map(String));
        return ACCEPTED;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return wordsOf(error.message);
      }
    },
  };
}

function sealed(input: Buffer): Buffer {
  const body = input.subarray(input.indexOf(10) + 1);
  return Buffer.concat([
    Buffer.from(`pmvx-trace 1 ${body.length} ${crc32(body).toString(16).padStart(8, '0')}\n`),
    body,
  ]);
}
