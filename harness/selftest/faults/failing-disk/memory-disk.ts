// SPDX-License-Identifier: Apache-2.0
import {
  type Attributes,
  attributesAnswer,
  directoryAnswer,
  type Errno,
  entryAnswer,
  initAnswer,
  openAnswer,
  type Request,
  statfsAnswer,
  writeAnswer,
} from './protocol.ts';

interface Node {
  readonly id: bigint;
  mode: number;
  links: number;
  modifiedMs: number;
  bytes: Buffer;
  /** Names in a folder; undefined for a file. */
  readonly names?: Map<string, Node>;
}

const FOLDER = 0o040000;
const FILE = 0o100000;
/** Bits of `valid` in a request to set attributes. */
const SET_MODE = 1;
const SET_SIZE = 8;

/** A file system in memory: folders and files, hard links, no owners. Answers requests one by one. */
export class MemoryDisk {
  readonly #nodes = new Map<bigint, Node>();
  #last = 0n;

  constructor() {
    this.#make(FOLDER | 0o755, new Map());
  }

  answer({ operation, node: id, body }: Request): Buffer | Errno {
    const node = this.#nodes.get(id);
    if (operation === 'init') return initAnswer();
    if (operation === 'statfs') return statfsAnswer();
    if (node === undefined) return 'ENOENT';
    switch (operation) {
      case 'lookup':
        return entryOf(node.names?.get(text(body)));
      case 'getattr':
        return attributesAnswer(facts(node));
      case 'setattr':
        return this.#set(node, body);
      case 'mkdir':
        return this.#add(node, text(body.subarray(8)), FOLDER | body.readUInt32LE(0));
      case 'create': {
        const entry = this.#add(node, text(body.subarray(16)), FILE | body.readUInt32LE(4));
        return typeof entry === 'string' ? entry : Buffer.concat([entry, openAnswer()]);
      }
      case 'unlink':
      case 'rmdir':
        return remove(node, text(body), operation === 'rmdir');
      case 'link':
        return this.#link(node, body);
      case 'rename':
      case 'rename2':
        return this.#rename(node, body, operation === 'rename' ? 8 : 16);
      case 'open':
      case 'opendir':
        return openAnswer();
      case 'read':
        return read(node, Number(body.readBigUInt64LE(8)), body.readUInt32LE(16));
      case 'write':
        return write(node, Number(body.readBigUInt64LE(8)), body.subarray(40, 40 + body.readUInt32LE(16)));
      case 'readdir':
        return directoryAnswer(
          [...(node.names ?? [])].map(([name, each]) => [name, each.id, each.names !== undefined] as const),
          Number(body.readBigUInt64LE(8)),
          body.readUInt32LE(16),
        );
      case 'release':
      case 'releasedir':
      case 'fsync':
      case 'fsyncdir':
      case 'flush':
      case 'destroy':
        return Buffer.alloc(0);
      default:
        return 'ENOSYS';
    }
  }

  #make(mode: number, names?: Map<string, Node>): Node {
    this.#last += 1n;
    const node = {
      id: this.#last,
      mode,
      links: names ? 2 : 1,
      modifiedMs: Date.now(),
      bytes: Buffer.alloc(0),
    };
    const made = names === undefined ? node : { ...node, names };
    this.#nodes.set(made.id, made);
    return made;
  }

  #add(folder: Node, name: string, mode: number): Buffer | Errno {
    if (folder.names === undefined) return 'ENOTDIR';
    if (folder.names.has(name)) return 'EEXIST';
    const made = this.#make(mode, (mode & FOLDER) === FOLDER ? new Map() : undefined);
    folder.names.set(name, made);
    return entryOf(made);
  }

  #set(node: Node, body: Buffer): Buffer {
    const valid = body.readUInt32LE(0);
    if (valid & SET_MODE) node.mode = body.readUInt32LE(68);
    if (valid & SET_SIZE) resize(node, Number(body.readBigUInt64LE(16)));
    return attributesAnswer(facts(node));
  }

  #link(folder: Node, body: Buffer): Buffer | Errno {
    const linked = this.#nodes.get(body.readBigUInt64LE(0));
    const name = text(body.subarray(8));
    if (linked === undefined || folder.names === undefined) return 'ENOENT';
    if (folder.names.has(name)) return 'EEXIST';
    folder.names.set(name, linked);
    linked.links += 1;
    return entryOf(linked);
  }

  #rename(from: Node, body: Buffer, at: number): Buffer | Errno {
    const to = this.#nodes.get(body.readBigUInt64LE(0));
    const [old = '', name = ''] = body.subarray(at).toString('utf8').split('\0');
    const moved = from.names?.get(old);
    if (moved === undefined || to?.names === undefined) return 'ENOENT';
    from.names?.delete(old);
    to.names.set(name, moved);
    return Buffer.alloc(0);
  }
}

function facts({ id, bytes, mode, links, modifiedMs }: Node): Attributes {
  return { node: id, size: bytes.length, mode, links, modifiedMs };
}

function entryOf(node: Node | undefined): Buffer | Errno {
  return node === undefined ? 'ENOENT' : entryAnswer(facts(node));
}

function remove(folder: Node, name: string, asFolder: boolean): Buffer | Errno {
  const node = folder.names?.get(name);
  if (node === undefined) return 'ENOENT';
  if (asFolder !== (node.names !== undefined)) return asFolder ? 'ENOTDIR' : 'EISDIR';
  if ((node.names?.size ?? 0) > 0) return 'ENOTEMPTY';
  folder.names?.delete(name);
  node.links -= 1;
  return Buffer.alloc(0);
}

function read({ bytes }: Node, from: number, length: number): Buffer {
  return bytes.subarray(Math.min(from, bytes.length), Math.min(from + length, bytes.length));
}

function write(node: Node, at: number, data: Buffer): Buffer {
  if (node.bytes.length < at + data.length) resize(node, at + data.length);
  data.copy(node.bytes, at);
  node.modifiedMs = Date.now();
  return writeAnswer(data.length);
}

function resize(node: Node, size: number): void {
  const bytes = Buffer.alloc(size);
  node.bytes.copy(bytes, 0, 0, Math.min(size, node.bytes.length));
  node.bytes = bytes;
  node.modifiedMs = Date.now();
}

/** A name up to its NUL. */
function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
