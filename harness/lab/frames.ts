// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { FRAME_KINDS, type Frame, type FrameKind } from './engine.ts';

const HEADER = /^(PMVX 2 ([a-z-]{1,32}) (\d{1,20}) (\d{1,10})) ([0-9a-f]{8})$/;
const MAX_HEADER = 128;
/** Larger than any frame that the agent sends. */
const MAX_PAYLOAD = 33 * 2 ** 20;

/** A trial has some tens of them. */
const MOST_FRAMES = 4096;
/** Of all payloads: the sets of probes are the largest, and each is one frame. */
const MOST_BYTES = 6 * MAX_PAYLOAD;

export interface DecodedFrames {
  readonly frames: readonly Frame[];
  /** Why reading stopped before the end, with the offset; absent when every byte belonged to a whole frame. */
  readonly fault?: string;
}

/** Reads what a guest sent (format: bpf/guest/agent/frame.c). Untrusted: nothing, not even a header, is believed without its CRC. */
export function decodeFrames(data: Buffer): DecodedFrames {
  const frames: Frame[] = [];
  let at = 0;
  let bytes = 0;
  while (at < data.length) {
    const stop = (why: string): DecodedFrames => ({
      frames,
      fault: `${why} at byte ${at} of ${data.length}`,
    });
    const end = data.subarray(at, at + MAX_HEADER).indexOf(10);
    if (end < 0) return stop('no frame header');
    const header = HEADER.exec(data.toString('latin1', at, at + end));
    if (header === null) return stop('no frame header');
    const [, covered = '', kind = '', ns = '', size = '', crc = ''] = header;
    if (!isFrameKind(kind)) return stop(`unknown frame "${kind}"`);
    const length = Number(size);
    const start = at + end + 1;
    if (frames.length === MOST_FRAMES) return stop(`the guest sent more than ${MOST_FRAMES} frames,`);
    if (bytes + length > MOST_BYTES) return stop(`the guest sent more than ${MOST_BYTES} bytes in frames,`);
    if (length > MAX_PAYLOAD) return stop(`frame "${kind}" of ${length} bytes`);
    if (start + length + 1 > data.length) return stop(`frame "${kind}" cut off`);
    const payload = data.subarray(start, start + length);
    if (crc32(payload, crc32(covered)) !== Number.parseInt(crc, 16) || data[start + length] !== 10) {
      return stop(`frame "${kind}" damaged`);
    }
    frames.push({ kind, guestNs: BigInt(ns), payload });
    bytes += length;
    at = start + length + 1;
  }
  return { frames };
}

function isFrameKind(kind: string): kind is FrameKind {
  return (FRAME_KINDS as readonly string[]).includes(kind);
}
