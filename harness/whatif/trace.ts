// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';

/** A line of a trace: `virtualNs vcpu fromTid toTid comm`. */
export interface TraceLine {
  readonly virtualNs: number;
  readonly vcpu: number;
  readonly from: number;
  readonly to: number;
  /** Command of `to`. */
  readonly comm: string;
}

const LINE = /^(\d+) (\d+) (-?\d+) (-?\d+) (.*)$/;

/** A line's meaning; undefined for one that has none, such as the rest of a command with a line end in it. */
export function parseTraceLine(line: string): TraceLine | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, ns, vcpu, from, to, comm = ''] = match;
  return { virtualNs: Number(ns), vcpu: Number(vcpu), from: Number(from), to: Number(to), comm };
}

/** Lines of a file, many at a time; no more than a mebibyte is held. */
export async function* traceLines(path: string): AsyncGenerator<readonly string[]> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 2 ** 20 })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield lines;
  }
  if (rest !== '') yield [rest];
}
