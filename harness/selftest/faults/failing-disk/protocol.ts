// SPDX-License-Identifier: Apache-2.0

/** Requests of the kernel that a disk in memory answers; numbers and layouts from include/uapi/linux/fuse.h, protocol 7.31. */
export const OPERATIONS = {
  1: 'lookup',
  2: 'forget',
  3: 'getattr',
  4: 'setattr',
  9: 'mkdir',
  10: 'unlink',
  11: 'rmdir',
  12: 'rename',
  13: 'link',
  14: 'open',
  15: 'read',
  16: 'write',
  17: 'statfs',
  18: 'release',
  20: 'fsync',
  25: 'flush',
  26: 'init',
  27: 'opendir',
  28: 'readdir',
  29: 'releasedir',
  30: 'fsyncdir',
  35: 'create',
  36: 'interrupt',
  38: 'destroy',
  42: 'batch_forget',
  45: 'rename2',
} as const;
export type Operation = (typeof OPERATIONS)[keyof typeof OPERATIONS];

/** Those to which the kernel wants no answer. */
export const UNANSWERED: readonly Operation[] = ['forget', 'batch_forget', 'interrupt'];

export const ERRNO = {
  ENOENT: 2,
  EIO: 5,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  ENOSPC: 28,
  EROFS: 30,
  ENOSYS: 38,
  ENOTEMPTY: 39,
} as const;
export type Errno = keyof typeof ERRNO;

export interface Request {
  readonly operation: Operation | undefined;
  readonly unique: bigint;
  readonly node: bigint;
  /** What follows the header. */
  readonly body: Buffer;
}

const IN_HEADER = 40;
const OUT_HEADER = 16;
/** Most bytes of one write. */
export const MAX_WRITE = 1 << 17;
/** Room for the largest request. */
export const MAX_REQUEST = MAX_WRITE + (1 << 16);

export function parseRequest(bytes: Buffer): Request {
  const operation = (OPERATIONS as Readonly<Record<number, Operation>>)[bytes.readUInt32LE(4)];
  return {
    operation,
    unique: bytes.readBigUInt64LE(8),
    node: bytes.readBigUInt64LE(16),
    body: bytes.subarray(IN_HEADER, bytes.readUInt32LE(0)),
  };
}

export function formatAnswer(unique: bigint, answer: Buffer | Errno): Buffer {
  const body = typeof answer === 'string' ? Buffer.alloc(0) : answer;
  const head = Buffer.alloc(OUT_HEADER);
  head.writeUInt32LE(OUT_HEADER + body.length);
  head.writeInt32LE(typeof answer === 'string' ? -ERRNO[answer] : 0, 4);
  head.writeBigUInt64LE(unique, 8);
  return Buffer.concat([head, body]);
}

/** Version 7.31, nothing optional. */
export function initAnswer(): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(31, 4);
  out.writeUInt32LE(1 << 16, 8);
  out.writeUInt16LE(16, 16);
  out.writeUInt16LE(12, 18);
  out.writeUInt32LE(MAX_WRITE, 20);
  out.writeUInt32LE(1, 24);
  return out;
}

export interface Attributes {
  readonly node: bigint;
  readonly size: number;
  readonly mode: number;
  readonly links: number;
  readonly modifiedMs: number;
}

export function attributes({ node, size, mode, links, modifiedMs }: Attributes): Buffer {
  const out = Buffer.alloc(88);
  out.writeBigUInt64LE(node, 0);
  out.writeBigUInt64LE(BigInt(size), 8);
  out.writeBigUInt64LE(BigInt(Math.ceil(size / 512)), 16);
  for (const at of [24, 32, 40]) out.writeBigUInt64LE(BigInt(Math.floor(modifiedMs / 1000)), at);
  for (const at of [48, 52, 56]) out.writeUInt32LE((modifiedMs % 1000) * 1_000_000, at);
  out.writeUInt32LE(mode, 60);
  out.writeUInt32LE(links, 64);
  out.writeUInt32LE(4096, 80);
  return out;
}

/** Nothing may be remembered by the kernel: what a name is, or how large, is asked each time. */
export function entryAnswer(of: Attributes): Buffer {
  const head = Buffer.alloc(40);
  head.writeBigUInt64LE(of.node, 0);
  return Buffer.concat([head, attributes(of)]);
}

export function attributesAnswer(of: Attributes): Buffer {
  return Buffer.concat([Buffer.alloc(16), attributes(of)]);
}

export function openAnswer(): Buffer {
  return Buffer.alloc(16);
}

export function writeAnswer(bytes: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt32LE(bytes);
  return out;
}

/** A disk of a GiB that is never full. */
export function statfsAnswer(): Buffer {
  const out = Buffer.alloc(80);
  for (const at of [0, 8, 16, 24, 32]) out.writeBigUInt64LE(262_144n, at);
  out.writeUInt32LE(4096, 40);
  out.writeUInt32LE(255, 44);
  out.writeUInt32LE(4096, 48);
  return out;
}

/** Names of a folder from `offset` on, as many as fit. */
export function directoryAnswer(
  names: readonly (readonly [name: string, node: bigint, isFolder: boolean])[],
  offset: number,
  room: number,
): Buffer {
  const out: Buffer[] = [];
  let length = 0;
  for (const [at, [name, node, isFolder]] of names.entries()) {
    if (at < offset) continue;
    const text = Buffer.from(name);
    const entry = Buffer.alloc((24 + text.length + 7) & ~7);
    entry.writeBigUInt64LE(node, 0);
    entry.writeBigUInt64LE(BigInt(at + 1), 8);
    entry.writeUInt32LE(text.length, 16);
    entry.writeUInt32LE(isFolder ? 4 : 8, 20);
    text.copy(entry, 24);
    if (length + entry.length > room) break;
    length += entry.length;
    out.push(entry);
  }
  return Buffer.concat(out);
}
