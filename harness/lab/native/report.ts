// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import type { RunResult } from '../engine.ts';

/** How the programs of a trial ended. */
export interface NativeReport {
  readonly warm?: RunResult;
  readonly result?: RunResult;
}

/** As the guest's agent bounds it: first and last half of what is longer. */
const OUTPUT_LIMIT = 256 * 1024;
const LINE = /^(warm|result) (\d+) ([01])((?: \d+){10}) (\S+)$/;

/** Reads what launch.pl wrote: a line a program. A line that is cut off is as good as absent. */
export function readReport(text: string): NativeReport {
  const found: { warm?: RunResult; result?: RunResult } = {};
  for (const line of text.split('\n').slice(0, -1)) {
    const [, kind, exit, timedOut, numbers = '', names = ''] = LINE.exec(line) ?? [];
    if (kind !== 'warm' && kind !== 'result') continue;
    const [elapsedNs, userNs, systemNs, voluntarySwitches, involuntarySwitches, outputBytes, ...all] = numbers
      .trim()
      .split(' ')
      .map(Number) as [number, number, number, number, number, number, ...number[]];
    const [allUserNs = 0, allSystemNs = 0, leftover = 0, stuck = 0] = all;
    found[kind] = {
      exit: Number(exit),
      timedOut: timedOut === '1',
      ...{ elapsedNs, userNs, systemNs, voluntarySwitches, involuntarySwitches, outputBytes },
      ...{ allUserNs, allSystemNs },
      ...(timedOut === '1' && stuck === 0
        ? {}
        : { leftover, stuck, names: names === '-' ? [] : names.split(',') }),
    };
  }
  return found;
}

/** What a run printed: all of it, or with a line in the middle that says how much is left out. */
export async function boundedOutput(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const part = async (from: number, length: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
      return buffer.subarray(0, bytesRead);
    };
    if (size <= OUTPUT_LIMIT) return await part(0, size);
    const half = OUTPUT_LIMIT / 2;
    const between = Buffer.from(`\n[pmvx: ${size - 2 * half} bytes left out]\n`);
    return Buffer.concat([await part(0, half), between, await part(size - half, half)]);
  } finally {
    await file.close();
  }
}
