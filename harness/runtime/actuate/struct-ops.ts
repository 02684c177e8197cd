// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type BpfError, type BpfLink, type BpfMap, BpfObject } from '../../../bpf/napi/index.js';
import { shortDigest } from '../../core/ids.ts';
import type { Held, Holder, Prepared } from './holder.ts';

export interface StructOpsOptions {
  /** Path of the object file. */
  readonly object: string;
  readonly ops: string;
  readonly constants: Readonly<Record<string, number>>;
  /** The kernel throws the scheduler out when a task that could run waits longer than this. */
  readonly watchdogMs: number;
}

const BUSY_MS = 500;

/** Fields of `struct user_exit_info` (tools/sched_ext/include/scx/user_exit_info_common.h): kind, exit code, reason, message. */
const EXIT_REASON = { at: 16, length: 128 };
const EXIT_MESSAGE = { at: 144, length: 1024 };

/**
 * A scheduler of our own, held by a BPF link of this process: when the process ends, however it does, the kernel closes the link and goes
 * back to its own scheduler.
 */
export function structOpsHolder({ object: path, ops, constants, watchdogMs }: StructOpsOptions): Holder {
  return {
    kind: 'struct_ops',
    version: shortDigest(`${shortDigest(readFileSync(path))} ${JSON.stringify(constants)}`),
    async prepare(): Promise<Prepared> {
      const object = BpfObject.open(path);
      try {
        // The headers of sched_ext read the kernel's enumerators from such constants.
        object.setEnumerators('scx_', '__');
        for (const [name, value] of Object.entries(constants)) object.setGlobal(name, BigInt(value));
        const scheduler = object.maps.find(({ type }) => type === 'struct_ops');
        if (scheduler === undefined) throw new Error(`${path} has no struct_ops map`);
        limitStalls(scheduler, watchdogMs);
        object.load();
        // Programs beside the scheduler's own that the kernel runs by itself; the headers bring one.
        for (const program of object.programs) {
          if (program.autoload && program.type !== 'struct_ops' && program.type !== 'syscall')
            program.attach();
        }
        return {
          take: async () => {
            return heldObject(object, await attach(scheduler), ops);
          },
          discard: async () => object.close(),
        };
      } catch (error) {
        object.close();
        throw error;
      }
    },
  };
}

/** The one before may take a moment to be gone after the kernel calls it disabled. */
async function attach(scheduler: BpfMap): Promise<BpfLink> {
  for (let left = BUSY_MS; ; left--) {
    try {
      return scheduler.attachStructOps();
    } catch (error) {
      if ((error as BpfError).code !== 'EBUSY' || left === 0) throw error;
      await delay(1);
    }
  }
}

/** The kernel's own watchdog waits 30 s; production is not to stand still so long. An older libbpf cannot say so. */
function limitStalls(scheduler: BpfMap, watchdogMs: number): void {
  try {
    scheduler.setMember('timeout_ms', watchdogMs);
  } catch (error) {
    if ((error as BpfError).code !== 'ERR_EBPF_UNAVAILABLE') throw error;
  }
}

function heldObject(object: BpfObject, link: BpfLink, ops: string): Held {
  return {
    ops,
    ended: () => exitWords(object),
    proof: () => 'its BPF link is held by this process',
    release: async () => {
      link.destroy();
      // Unloading takes a while, and the next scheduler need not wait for it.
      setImmediate(() => object.close());
    },
  };
}

/** Why the kernel ended the scheduler, as it told the scheduler itself. */
function exitWords(object: BpfObject): string | undefined {
  let info: unknown;
  try {
    info = object.getGlobal('uei');
  } catch {
    // A scheduler without this global tells nothing; the kernel's log does.
    return undefined;
  }
  if (!(info instanceof Uint8Array)) return undefined;
  const bytes = Buffer.from(info.buffer, info.byteOffset, info.length);
  if (bytes.length < EXIT_MESSAGE.at || bytes.readInt32LE(0) === 0) return undefined;
  const text = ({ at, length }: { at: number; length: number }) =>
    bytes
      .toString('utf8', at, Math.min(bytes.length, at + length))
      .replace(/\0.*$/s, '')
      .trim();
  const [reason, message] = [text(EXIT_REASON), text(EXIT_MESSAGE)];
  return message === '' ? reason : `${reason} (${message})`;
}
