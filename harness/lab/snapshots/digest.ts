// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dataChunks } from './data-chunks.ts';

/** Part of the digest's meaning: another size gives other digests. */
const CHUNK_BYTES = 2 ** 20;

const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** Size in bytes and digest (64 hexadecimal digits) of a file. */
export interface FileFacts {
  readonly size: number;
  readonly digest: string;
}

/**
 * A digest of a file's bytes that is quick for sparse ones: SHA-256 over the size, then index and bytes of every chunk of
 * 1 MiB that is not all zero. Where holes lie makes no difference. The file is only read, and stays as sparse as it is.
 */
export async function sparseDigest(path: string): Promise<FileFacts> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256').update(number(size));
    const chunks = await dataChunks(path, size, CHUNK_BYTES);
    const read = async (index: number | undefined, into: Buffer): Promise<Buffer> => {
      if (index === undefined) return into.subarray(0, 0);
      const length = Math.min(CHUNK_BYTES, size - index * CHUNK_BYTES);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await file.read(into, at, length - at, index * CHUNK_BYTES + at);
        if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
        at += bytesRead;
      }
      return into.subarray(0, length);
    };
    // The next chunk is read while this one is hashed.
    let [here, ahead] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
    let chunk = await read(chunks[0], here);
    for (const [turn, index] of chunks.entries()) {
      const next = read(chunks[turn + 1], ahead);
      if (!chunk.equals(ZEROS.subarray(0, chunk.length))) hash.update(number(index)).update(chunk);
      chunk = await next;
      [here, ahead] = [ahead, here];
    }
    return { size, digest: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** Eight bytes, little endian. */
function number(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
