// SPDX-License-Identifier: GPL-2.0-only

/**
 * libbpf for Node. Objects, pinned maps and ring buffers that are no longer reachable are closed when they are collected; `close`, `destroy` and `using` do it at a
 * known time. Whatever is wrong becomes a `BpfError`; nothing here ends the process.
 */

/** Every error of this package. */
export interface BpfError extends Error {
  /**
   * The name of the errno that libbpf or the kernel gave (`EPERM`, `EINVAL`), or one of `ERR_EBPF_UNAVAILABLE`, `ERR_BPF_CLOSED`,
   * `ERR_BPF_LOADED`, `ERR_BPF_NOT_LOADED`, `ERR_BPF_NOT_FOUND`, `ERR_BPF_NO_GLOBAL`, `ERR_BPF_BUSY`, `ERR_BPF_DIGEST`,
   * `ERR_BPF_DAMAGED`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_OUT_OF_MEMORY`.
   */
  readonly code: string;
  /** The end of what libbpf and the verifier said, 32 KiB at most; `message` has its last lines. */
  readonly log?: string;
}

/** Bytes of any typed array, DataView or Buffer. */
export type Bytes = ArrayBufferView;

/** A global variable: integers of up to 4 bytes and floats are numbers, of 8 bytes bigints; anything that is no scalar is bytes. */
export type GlobalValue = number | bigint | boolean | Uint8Array;

/** Why the addon cannot be used on this machine, in words with what to do; undefined when it can. Never throws. */
export function unavailable(): string | undefined;

export interface OpenOptions {
  /** Instead of the file's name; the kernel's names of maps begin with it. */
  readonly name?: string;
  /**
   * What the bytes must have, in hexadecimal; else ERR_BPF_DIGEST. Without it a child process opens and loads a copy first, so that a
   * damaged file cannot take this process with it (ERR_BPF_DAMAGED).
   */
  readonly sha256?: string;
}

/** A BPF object file (ELF with BTF), from which libbpf loads programs and maps. */
export class BpfObject {
  private constructor();
  /** Opens a regular file, or its bytes. Nothing is in the kernel yet. */
  static open(source: string | Bytes, options?: OpenOptions): BpfObject;
  readonly name: string;
  readonly programs: BpfProgram[];
  readonly maps: BpfMap[];
  /** @throws BpfError (ERR_BPF_NOT_FOUND) that lists those that are there. */
  program(name: string): BpfProgram;
  /** @throws BpfError (ERR_BPF_NOT_FOUND) that lists those that are there. */
  map(name: string): BpfMap;
  /** A global variable as it is now, typed by its BTF. */
  getGlobal(name: string): GlobalValue;
  /**
   * Sets a global variable; a `const volatile` one only before `load`, one of `__kconfig` never. The value must be of the variable's kind and fit its width; for
   * 8 bytes a bigint, or a number that is a safe integer.
   */
  setGlobal(name: string, value: number | bigint | boolean | Bytes): this;
  /**
   * Before `load`: for each enumerator `NAME` of the running kernel's enums whose names begin with `types`, sets the constant `constants` +
   * `NAME` where the object has one. How many were set. sched_ext's headers want `('scx_', '__')`.
   */
  setEnumerators(types: string, constants: string): number;
  /** Verifies and loads every program whose `autoload` is on. An object that failed is closed. */
  load(): this;
  /** Destroys all links of the object, then unloads it. Again is allowed. */
  close(): void;
  [Symbol.dispose](): void;
}

/** How a program ran so far. */
export interface ProgramInfo {
  readonly id: number;
  /** Events at which it did not run, because it was interrupted on the same CPU by its own event. */
  readonly recursionMisses: number;
  /** Runs, and ns in them; counted only while kernel.bpf_stats_enabled is 1. */
  readonly runCount: number;
  readonly runNs: number;
  readonly verifiedInstructions: number;
}

export class BpfProgram {
  private constructor();
  readonly name: string;
  /** As `SEC()` in the source: `tp_btf/sched_switch`. */
  readonly section: string;
  /** The kernel's kind: `tracing`, `raw_tracepoint`, `struct_ops`, ... */
  readonly type: string;
  /** Whether `load` loads it. Can be set before. */
  autoload: boolean;
  /** Attaches it where its section says. */
  attach(): BpfLink;
  /** Runs it once (BPF_PROG_TEST_RUN), raw tracepoints on the CPU that is named; what it returned. */
  run(options?: { readonly context?: Bytes; readonly cpu?: number }): number;
  info(): ProgramInfo;
}

/**
 * A program that is attached, or a struct_ops that is registered, until this is destroyed or its object closed (or collected): nobody
 * need hold it.
 */
export class BpfLink {
  private constructor();
  /** Its descriptor, which stays the link's; for `Guardian.holdDescriptor`. */
  readonly descriptor: number;
  /** Keeps it after this process has ended. */
  pin(path: string): void;
  /** Detaches. Again is allowed. */
  destroy(): void;
  [Symbol.dispose](): void;
}

/** A member of the struct that a map's values are. */
export interface ValueField {
  readonly name: string;
  /** Bytes from the beginning of the value. */
  readonly offset: number;
  /** Bytes of one element, 0 when it is no integer and no struct. */
  readonly size: number;
  /** Elements: 1 but for arrays. */
  readonly count: number;
  readonly kind: 'unsigned' | 'signed' | 'bytes';
}

/** A value, or of a per-CPU map a list with one value for each possible CPU. */
export type MapValue = Uint8Array | Uint8Array[];

export class BpfMap {
  private constructor();
  /** A map that somebody pinned in a BPF file system. */
  static openPinned(path: string): BpfMap;
  readonly name: string;
  /** The kernel's kind: `hash`, `percpu_array`, `ringbuf`, ... */
  readonly type: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes, of one CPU's value. */
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly isPerCpu: boolean;
  /** From BTF; undefined when values are no struct, or the map was opened from a pin. */
  readonly valueLayout: { readonly name: string; readonly fields: ValueField[] } | undefined;
  /** The value, or undefined when there is none. */
  lookup(key?: Bytes): MapValue | undefined;
  /** `flags`: 0 any, 1 only new, 2 only existing. */
  update(key: Bytes | undefined, value: Bytes | readonly Bytes[], flags?: number): this;
  /** Whether it was there. */
  delete(key: Bytes): boolean;
  /** All keys, one system call each. While others write, some may come twice or not at all. */
  keys(): Generator<Uint8Array, void, undefined>;
  /** All entries: in batches where the kernel has them for this kind of map, else one by one. */
  entries(): [key: Uint8Array, value: MapValue][];
  /**
   * Before `load`: sets a whole number in a struct_ops, such as a scheduler's `timeout_ms`, whatever its source says.
   * @throws BpfError (ERR_EBPF_UNAVAILABLE) with a libbpf older than 1.4, (ERR_BPF_NOT_FOUND) when it has no such member.
   */
  setMember(name: string, value: number): this;
  /** Before `load`: what `setMember` sets. */
  getMember(name: string): number;
  /** Registers a struct_ops map: a scheduler, a congestion control. */
  attachStructOps(): BpfLink;
  pin(path: string): void;
  /**
   * Puts a performance event (`type` and `config` of perf_event_open) of all tasks for each possible CPU into a perf_event_array; for how
   * many CPUs the machine has it: 0 on one without performance counters.
   */
  fillPerfEvents(type: number, config: number): number;
  /**
   * Has `callback` called in the event loop with each record of a ring buffer, as it comes. An open one keeps the process alive;
   * `unref` lets it end. Of records that come faster than they are read it gets some, then the event loop has its turn. What the callback
   * throws is an uncaught exception.
   */
  readRing(callback: (record: Uint8Array) => void): RingBuffer;
  /** Of a map opened from a pin; a map of an object is closed with it. */
  close(): void;
  [Symbol.dispose](): void;
}

export class RingBuffer {
  private constructor();
  /**
   * Takes out what is there now, without waiting, at most as many records as the buffer can hold; how many. What the callback throws comes
   * out here.
   */
  take(): number;
  ref(): this;
  unref(): this;
  close(): void;
  [Symbol.dispose](): void;
}

/** How far a held program is; `code` or `signal` once it has ended. */
export interface HeldState {
  readonly pid: number;
  /** `waiting`: it is about to attach a struct_ops, and waits to be let go. */
  readonly stage: 'starting' | 'waiting' | 'released' | 'ended';
  /** The end of what it said on stdout and stderr, 4096 bytes at most. */
  readonly words: string;
  readonly code?: number;
  readonly signal?: number;
}

/**
 * A program that loads a struct_ops by itself, such as a scheduler of sched_ext, stopped right before it attaches it; nothing else that
 * it does is touched (seccomp user notification). The kernel kills it when the thread that started it ends, however that ends.
 */
export class HeldProgram {
  private constructor();
  /**
   * Starts `argv[0]`, a path, with this process's environment.
   * @throws BpfError: the errno of fork, seccomp or exec.
   */
  static start(argv: readonly string[]): HeldProgram;
  readonly state: HeldState;
  /** Lets it attach, now or when it comes to that. */
  release(): void;
  /** Whether it was still there. */
  kill(signal: number): boolean;
}

/** What a guardian says; `code` is the name of an errno. */
export type GuardianAnswer =
  | { readonly kind: 'gone' }
  | { readonly kind: 'alive' }
  | { readonly kind: 'ready'; readonly pid: number; readonly how: string }
  /** `code`: it was refused, and is not there any more. */
  | { readonly kind: 'held'; readonly id: number; readonly code?: string }
  /** `code`: it is still there, and tried again. */
  | { readonly kind: 'dropped'; readonly id: number; readonly code?: string }
  /** All was dropped though nobody asked here. After `signal` and `kill-file` nothing is held until `open`; after `ends` it is gone soon. */
  | {
      readonly kind: 'home';
      readonly cause: 'no-beat' | 'signal' | 'kill-file' | 'ends';
      readonly why: string;
    };

/**
 * A small process that holds for this one what must not outlive it: links, schedulers, settings. It drops all of it when `beat` fails to
 * come in time, when this process ends or is stopped, at SIGTERM and SIGUSR1, and when the kill file appears. It uses no disk, and its memory is
 * locked where that is allowed. Each call but `hear` says whether the message went; false: it has gone, or does not listen.
 */
export class Guardian {
  private constructor();
  /** @throws BpfError: the errno of fork or exec. */
  static start(options?: { readonly killFile?: string; readonly program?: string }): Guardian;
  /** The next one comes within so many ms. */
  beat(withinMs: number): boolean;
  /** Closing the descriptor must end what it holds; this process closes its own copy. Answered by `held`, as all that hold. */
  holdDescriptor(id: number, descriptor: number): boolean;
  /** SIGINT ends it, or SIGKILL 150 ms later. @throws BpfError: (ESRCH) there is no such process. */
  holdProcess(id: number, pid: number): boolean;
  /** A file that reads `ours` is given back what it read before; one that reads otherwise stays. */
  holdSetting(id: number, path: string, before: string, ours: string): boolean;
  /** One, or all; what is gone already is dropped, too. Answered by `dropped` for each. */
  drop(id?: number): boolean;
  /** Drops all, and refuses to hold anything until `open`. */
  latch(): boolean;
  open(): boolean;
  /** As of sd_notify(3); with each beat the service manager's watchdog is told, too. */
  notify(text: string): boolean;
  /** Without waiting: undefined when there is nothing. */
  hear(): GuardianAnswer | undefined;
  /** All is dropped. */
  close(): void;
  [Symbol.dispose](): void;
}

export type BtfKind = 'struct' | 'union' | 'enum' | 'typedef' | 'function' | 'variable';

/** Whether the running kernel has BTF (CONFIG_DEBUG_INFO_BTF). */
export function hasKernelBtf(): boolean;
/** For each name whether the running kernel has a type, function or variable so called. */
export function kernelHas(kind: BtfKind, ...names: string[]): boolean[];
/** For each name whether the running kernel has such a tracepoint (`sched_switch`). */
export function kernelHasTracepoint(...names: string[]): boolean[];
/** CPUs of which per-CPU maps have a value. */
export function possibleCpus(): number;
/** Of the libbpf that is linked, like `1.1`. */
export function libbpfVersion(): string;
