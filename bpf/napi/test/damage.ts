// SPDX-License-Identifier: GPL-2.0-only
// `node damage.ts OBJECT FROM TO open|load`: opens (and loads) copies of an object file that are damaged by a seed each, and asks all there is
// to ask of those that open. Prints how many did, and how many would have ended this process.
import { readFileSync } from 'node:fs';
import { type BpfError, BpfObject } from '../index.js';

const [, , path = '', from = '1', to = '2', how = 'open'] = process.argv;
const whole = readFileSync(path);
const NAMES = ['only_tgid', 'number', 'wide', 'flag', 'real', 'text', 'calls_seen', 'nothing_here'];
const WORDS = [0, 1, 8, 0xff_ff_ff_ff, 0x7f_ff_ff_ff, 0x80_00_00_00];

/** Marsaglia's xorshift of 32 bits. */
function random(seed: number): (below: number) => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

const cut = (bytes: Buffer, draw: (below: number) => number) => bytes.subarray(0, draw(bytes.length) || 1);

function flip(bytes: Buffer, draw: (below: number) => number): Buffer {
  for (let left = 1 + draw(8); left > 0; left--) bytes[draw(bytes.length)] = draw(256);
  return bytes;
}

function writeWords(bytes: Buffer, draw: (below: number) => number): Buffer {
  for (let left = 1 + draw(4); left > 0; left--) {
    bytes.writeUInt32LE(WORDS[draw(WORDS.length)] ?? 0, draw(bytes.length - 4));
  }
  return bytes;
}

/** Words of section headers (Elf64_Shdr: 64 bytes each, from e_shoff, e_shnum of them). */
function changeHeaders(bytes: Buffer, draw: (below: number) => number): Buffer {
  const table = Number(bytes.readBigUInt64LE(40));
  const count = bytes.readUInt16LE(60);
  for (let left = 1 + draw(3); left > 0; left--) {
    const at = table + 64 * draw(count) + 4 * draw(16);
    const value = draw(2) === 0 ? (WORDS[draw(WORDS.length)] ?? 0) : draw(bytes.length);
    if (at + 4 <= bytes.length) bytes.writeUInt32LE(value, at);
  }
  return bytes;
}

function move(bytes: Buffer, draw: (below: number) => number): Buffer {
  const at = draw(bytes.length);
  bytes.copy(bytes, draw(bytes.length), at, Math.min(bytes.length, at + draw(64)));
  return bytes;
}

const DAMAGES = [cut, flip, writeWords, changeHeaders, move];

function attempt(ask: () => unknown): BpfError | undefined {
  try {
    ask();
    return undefined;
  } catch (error) {
    return error as BpfError;
  }
}

function askAll(object: BpfObject): void {
  for (const map of object.maps) {
    for (const ask of [() => map.name, () => map.type, () => map.valueLayout]) attempt(ask);
    attempt(() => map.setMember('flags', map.getMember('flags')));
  }
  for (const program of object.programs) attempt(() => [program.name, program.section, program.type]);
  for (const name of NAMES) {
    attempt(() => object.getGlobal(name));
    attempt(() => object.setGlobal(name, 1));
  }
  attempt(() => object.setEnumerators('bpf_prog_type', '__'));
}

let opened = 0;
let damaged = 0;
for (let seed = Number(from); seed < Number(to); seed++) {
  const draw = random(seed);
  const damage = DAMAGES[draw(DAMAGES.length)] ?? cut;
  const bytes = damage(Buffer.from(whole), draw);
  const fault = attempt(() => {
    using object = BpfObject.open(bytes, { name: 'damaged' });
    opened++;
    askAll(object);
    if (how !== 'load') return;
    object.load();
    askAll(object);
  });
  if (fault?.code === 'ERR_BPF_DAMAGED') damaged++;
}
console.log(JSON.stringify({ opened, damaged }));
