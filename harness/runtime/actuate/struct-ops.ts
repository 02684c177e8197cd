// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type BpfError, type BpfLink, type BpfMap, BpfObject } from '../../../bpf/napi/index.js';
import { shortDigest } from '../../core/ids.ts';
import type { Held, Holder, Prepared } from './holder.ts';
import type { Keeper, Ward } from './keeper.ts';

export interface StructOpsOptions {
  /** Path of the object file. */
  readonly object: string;
  readonly ops: string;
  readonly constants: Readonly<Record<string, number>>;
  /** The kernel throws the scheduler out when a task that could run waits longer than this. */
  readonly watchdogMs: number;
  /** Once loaded, it stays so between two times in effect: loading and verifying take far longer than attaching. */
  readonly keepLoaded: boolean;
  /** Holds its link; absent: this process does. */
  readonly keeper?: Keeper | undefined;
}

/** A scheduler that is loaded and verified, and not in effect. */
interface Loaded {
  readonly object: BpfObject;
  readonly scheduler: BpfMap;
}

const BUSY_MS = 500;
const UNLOAD_MS = 1000;
/** How long the kernel may keep the loop from giving a sign, ms. */
const LOAD_MS = 20_000;
const ATTACH_MS = 3000;

/** Fields of `struct user_exit_info` (tools/sched_ext/include/scx/user_exit_info_common.h): kind, exit code, reason, message. */
const EXIT_REASON = { at: 16, length: 128 };
const EXIT_MESSAGE = { at: 144, length: 1024 };

/**
 * A scheduler of our own, held by a BPF link: when the process that has it ends, however it does, the kernel closes the link and goes back to its own
 * scheduler. That process is the keeper.
 */
export function structOpsHolder(options: StructOpsOptions): Holder {
  const { object: path, ops, constants, keepLoaded, keeper } = options;
  let kept: Loaded | undefined;
  const letGo = (loaded: Loaded) => {
    if (kept === loaded) return;
    // What the kernel threw out is loaded anew before it is tried again.
    if (keepLoaded && kept === undefined && exitWords(loaded.object) === undefined) kept = loaded;
    // Unloading takes a while, in which nobody would see that the next scheduler is there.
    else setTimeout(() => loaded.object.close(), UNLOAD_MS).unref();
  };
  const ready = (): Loaded => {
    const loaded = kept ?? load(options);
    kept = undefined;
    return loaded;
  };
  return {
    kind: 'struct_ops',
    version: shortDigest(`${shortDigest(readFileSync(path))} ${JSON.stringify(constants)}`),
    async warm() {
      if (keepLoaded) kept ??= load(options);
    },
    async prepare(): Promise<Prepared> {
      const loaded = ready();
      return {
        take: async () => {
          keeper?.away(ATTACH_MS);
          const link = await attach(loaded.scheduler);
          const ward = keeper === undefined ? ownWard(link) : await keeper.holdLink(link);
          const holder = keeper === undefined ? 'this process' : 'the guardian';
          return heldObject(loaded, { ward, holder, ops }, letGo);
        },
        discard: async () => letGo(loaded),
      };
    },
  };
}

function load({ object: path, constants, watchdogMs, keeper }: StructOpsOptions): Loaded {
  // The verifier may take seconds, in which the loop stands still.
  keeper?.away(LOAD_MS);
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
      if (program.autoload && program.type !== 'struct_ops' && program.type !== 'syscall') program.attach();
    }
    return { object, scheduler };
  } catch (error) {
    object.close();
    throw error;
  }
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
    const own = scheduler.getMember('timeout_ms');
    if (own === 0 || own > watchdogMs) scheduler.setMember('timeout_ms', watchdogMs);
  } catch (error) {
    if ((error as BpfError).code !== 'ERR_EBPF_UNAVAILABLE') throw error;
  }
}

function ownWard(link: BpfLink): Ward {
  return { drop: async () => link.destroy() };
}

function heldObject(
  loaded: Loaded,
  { ward, holder, ops }: { readonly ward: Ward; readonly holder: string; readonly ops: string },
  letGo: (loaded: Loaded) => void,
): Held {
  const { object } = loaded;
  let gone = false;
  return {
    ops,
    ended: () => exitWords(object),
    proof: () => `its BPF link is held by ${holder}`,
    release: async () => {
      const thrownOut = !gone && exitWords(object) !== undefined;
      await ward.drop();
      if (gone) return;
      gone = true;
      // That it was let go is no reason to distrust it the next time; that the kernel threw it out is.
      if (!thrownOut) forgetExit(object);
      letGo(loaded);
    },
  };
}

/** Clears what a scheduler was told about its end, so that the next end can be told from this one. */
function forgetExit(object: BpfObject): void {
  try {
    const info = object.getGlobal('uei');
    if (info instanceof Uint8Array) object.setGlobal('uei', new Uint8Array(info.length));
  } catch {
    // A scheduler without this global was told nothing.
  }
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
