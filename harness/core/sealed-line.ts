// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';

/** The last member of a line: CRC-32 of the bytes of the line before it. A flipped bit in a number is still JSON. */
const SEAL = /^,"crc32":"([0-9a-f]{8})"\}$/;
const SEAL_BYTES = ',"crc32":"00000000"}'.length;

/** An object, which has members, as a line of JSON Lines that vouches for itself; line end included. */
export function sealLine(value: object): Buffer {
  const text = JSON.stringify(value).slice(0, -1);
  return Buffer.from(`${text},"crc32":"${crcOf(Buffer.from(text))}"}\n`);
}

/**
 * The JSON that a line (without its end) stands for, and whether it is as it was written: `bare` lines are from before lines
 * were sealed, and nobody can tell.
 */
export function openLine(line: Buffer): {
  readonly text: string;
  readonly seal: 'whole' | 'broken' | 'bare';
} {
  const at = Math.max(0, line.length - SEAL_BYTES);
  const crc = SEAL.exec(line.toString('latin1', at))?.[1];
  if (crc === undefined) return { text: line.toString('utf8'), seal: 'bare' };
  const covered = line.subarray(0, at);
  return { text: `${covered.toString('utf8')}}`, seal: crcOf(covered) === crc ? 'whole' : 'broken' };
}

function crcOf(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}
