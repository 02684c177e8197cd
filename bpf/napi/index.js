// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const ADDON = fileURLToPath(new URL('build/ebpf.node', import.meta.url));
const GUARDIAN = fileURLToPath(new URL('build/guardian', import.meta.url));
const REASON = fileURLToPath(new URL('build/reason.txt', import.meta.url));

/** Loaded at first use, so that importing this package never fails. */
let loaded;

function addon() {
  if (loaded !== undefined) return loaded;
  const why = unavailable();
  if (why === undefined) return loaded;
  throw Object.assign(new Error(`ebpf-napi is not there: ${why}`), { code: 'ERR_EBPF_UNAVAILABLE' });
}

/** Why the addon cannot be used on this machine, in words; undefined when it can. */
export function unavailable() {
  if (loaded !== undefined) return undefined;
  if (process.platform !== 'linux') return `BPF is Linux's; this is ${process.platform}`;
  if (!existsSync(ADDON)) {
    const kept = existsSync(REASON) ? readFileSync(REASON, 'utf8').trim() : 'its install script has not run';
    return `${kept}\nThen build it: npm rebuild ebpf-napi`;
  }
  try {
    loaded = createRequire(import.meta.url)(ADDON);
    return undefined;
  } catch (error) {
    return `${error.message}\nBuild it anew: npm rebuild ebpf-napi`;
  }
}

/** Kinds of maps and programs, by the kernel's number (include/uapi/linux/bpf.h); a newer kind goes by its number. */
const MAP_TYPES = (
  'unspec hash array prog_array perf_event_array percpu_hash percpu_array stack_trace cgroup_array lru_hash ' +
  'lru_percpu_hash lpm_trie array_of_maps hash_of_maps devmap sockmap cpumap xskmap sockhash cgroup_storage ' +
  'reuseport_sockarray percpu_cgroup_storage queue stack sk_storage devmap_hash struct_ops ringbuf inode_storage ' +
  'task_storage bloom_filter user_ringbuf cgrp_storage arena'
).split(' ');
const PROGRAM_TYPES = (
  'unspec socket_filter kprobe sched_cls sched_act tracepoint xdp perf_event cgroup_skb cgroup_sock lwt_in lwt_out ' +
  'lwt_xmit sock_ops sk_skb cgroup_device sk_msg raw_tracepoint cgroup_sock_addr lwt_seg6local lirc_mode2 ' +
  'sk_reuseport flow_dissector cgroup_sysctl raw_tracepoint_writable cgroup_sockopt tracing struct_ops ext lsm ' +
  'sk_lookup syscall netfilter'
).split(' ');

const nameOf = (names, number) => names[number] ?? String(number);
const findNamed = (list, what, name, owner) => {
  const found = list.find((each) => each.name === name);
  if (found !== undefined) return found;
  const known = list.map((each) => each.name).join(', ');
  throw Object.assign(new Error(`${owner} has no ${what} ${JSON.stringify(name)}. It has: ${known}`), {
    code: 'ERR_BPF_NOT_FOUND',
  });
};

/** Larger than any object file: it is read as a whole. */
const MOST_BYTES = 2 ** 26;

function fail(code, message) {
  throw Object.assign(new Error(message), { code });
}

/** Bytes of a regular file; nothing else, such as a FIFO, can hold the reader up. */
function readObject(path) {
  if (path === '' || path.includes('\0')) {
    fail('ERR_INVALID_ARG_VALUE', path === '' ? 'path is empty' : 'path holds a NUL byte');
  }
  let fd;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_CLOEXEC);
  } catch (error) {
    fail(error.code, `cannot open ${path}: ${error.message}`);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) fail('ERR_INVALID_ARG_VALUE', `cannot open ${path}: it is no regular file`);
    if (stat.size > MOST_BYTES) {
      fail(
        'ERR_OUT_OF_RANGE',
        `cannot open ${path}: it has ${stat.size} bytes, at most ${MOST_BYTES} are read`,
      );
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** @returns whether the bytes are those that the caller knows; false when it knows none. */
function isKnown(bytes, sha256, what) {
  if (sha256 === undefined) return false;
  const seen = createHash('sha256').update(bytes).digest('hex');
  if (seen !== sha256) {
    fail('ERR_BPF_DIGEST', `cannot open ${what}: its SHA-256 is ${seen}, and ${sha256} was expected`);
  }
  return true;
}

export class BpfObject {
  #handle;
  #programs;
  #maps;

  constructor(handle) {
    this.#handle = handle;
    this.#programs = addon()
      .programs(handle)
      .map((each) => new BpfProgram(each));
    this.#maps = addon()
      .maps(handle)
      .map((each) => new BpfMap(each));
  }

  static open(source, { name, sha256 } = {}) {
    const there = addon();
    if (typeof source !== 'string') {
      return new BpfObject(there.open(source, name ?? 'object', isKnown(source, sha256, 'an object')));
    }
    const bytes = readObject(source);
    const isTrusted = isKnown(bytes, sha256, source);
    try {
      return new BpfObject(
        there.open(bytes, name ?? (basename(source).split('.')[0] || 'object'), isTrusted),
      );
    } catch (error) {
      error.message = `${source}: ${error.message}`;
      throw error;
    }
  }

  get name() {
    return addon().objectName(this.#handle);
  }

  get programs() {
    return [...this.#programs];
  }

  get maps() {
    return [...this.#maps];
  }

  program(name) {
    return findNamed(this.#programs, 'program', name, this.name);
  }

  map(name) {
    return findNamed(this.#maps, 'map', name, this.name);
  }

  getGlobal(name) {
    return addon().getGlobal(this.#handle, name);
  }

  setGlobal(name, value) {
    addon().setGlobal(this.#handle, name, value);
    return this;
  }

  setEnumerators(types, constants) {
    return addon().setEnumerators(this.#handle, types, constants);
  }

  load() {
    addon().load(this.#handle);
    return this;
  }

  close() {
    addon().close(this.#handle);
  }

  [Symbol.dispose]() {
    this.close();
  }
}

export class BpfProgram {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  get name() {
    return addon().describeProgram(this.#handle).name;
  }

  get section() {
    return addon().describeProgram(this.#handle).section;
  }

  get type() {
    return nameOf(PROGRAM_TYPES, addon().describeProgram(this.#handle).type);
  }

  get autoload() {
    return addon().describeProgram(this.#handle).autoload;
  }

  set autoload(value) {
    addon().setAutoload(this.#handle, value);
  }

  attach() {
    return new BpfLink(addon().attach(this.#handle));
  }

  run({ context, cpu } = {}) {
    return addon().runProgram(this.#handle, context, cpu);
  }

  info() {
    return addon().programInfo(this.#handle);
  }
}

export class BpfLink {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  get descriptor() {
    return addon().linkDescriptor(this.#handle);
  }

  pin(path) {
    addon().pinLink(this.#handle, path);
  }

  destroy() {
    addon().close(this.#handle);
  }

  [Symbol.dispose]() {
    this.destroy();
  }
}

export class BpfMap {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  static openPinned(path) {
    return new BpfMap(addon().openPinnedMap(path));
  }

  get name() {
    return addon().describeMap(this.#handle).name;
  }

  get type() {
    return nameOf(MAP_TYPES, addon().describeMap(this.#handle).type);
  }

  get keySize() {
    return addon().describeMap(this.#handle).keySize;
  }

  get valueSize() {
    return addon().describeMap(this.#handle).valueSize;
  }

  get maxEntries() {
    return addon().describeMap(this.#handle).maxEntries;
  }

  get isPerCpu() {
    return addon().describeMap(this.#handle).perCpu;
  }

  get valueLayout() {
    return addon().valueLayout(this.#handle);
  }

  lookup(key) {
    return addon().lookup(this.#handle, key);
  }

  update(key, value, flags) {
    addon().update(this.#handle, key, value, flags);
    return this;
  }

  delete(key) {
    return addon().remove(this.#handle, key);
  }

  *keys() {
    for (
      let key = addon().nextKey(this.#handle);
      key !== undefined;
      key = addon().nextKey(this.#handle, key)
    ) {
      yield key;
    }
  }

  entries() {
    const batch = addon().lookupBatch(this.#handle);
    if (batch !== undefined) return batch;
    // An entry that goes between its key and its value is not there.
    return [...this.keys()].flatMap((key) => {
      const value = this.lookup(key);
      return value === undefined ? [] : [[key, value]];
    });
  }

  getMember(name) {
    return addon().getMember(this.#handle, name);
  }

  setMember(name, value) {
    addon().setMember(this.#handle, name, value);
    return this;
  }

  attachStructOps() {
    return new BpfLink(addon().attachStructOps(this.#handle));
  }

  pin(path) {
    addon().pinMap(this.#handle, path);
  }

  fillPerfEvents(type, config) {
    return addon().fillPerfEvents(this.#handle, type, config);
  }

  readRing(callback) {
    return new RingBuffer(addon().openRing(this.#handle, callback));
  }

  close() {
    addon().close(this.#handle);
  }

  [Symbol.dispose]() {
    this.close();
  }
}

export class HeldProgram {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  static start(argv) {
    return new HeldProgram(addon().startHeld(argv));
  }

  get state() {
    return addon().heldState(this.#handle);
  }

  release() {
    addon().releaseHeld(this.#handle);
  }

  kill(signal) {
    return addon().killHeld(this.#handle, signal);
  }
}

/** Numbers of src/guardian.h. */
const ASK = { beat: 1, descriptor: 2, process: 3, setting: 4, drop: 5, latch: 6, open: 7, notify: 8 };
const ANSWERS = ['gone', 'ready', 'alive', 'held', 'dropped', 'home'];
const CAUSES = [undefined, 'no-beat', 'signal', 'kill-file', 'ends'];

export class Guardian {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  static start({ killFile, program = GUARDIAN } = {}) {
    return new Guardian(addon().startGuardian(program, killFile));
  }

  #ask(kind, { id = 0, value = 0, text, descriptor } = {}) {
    const bytes = text === undefined ? undefined : new TextEncoder().encode(text);
    return addon().sendGuardian(this.#handle, ASK[kind], id, value, bytes, descriptor);
  }

  beat(withinMs) {
    return this.#ask('beat', { value: withinMs });
  }

  holdDescriptor(id, descriptor) {
    return this.#ask('descriptor', { id, descriptor });
  }

  holdProcess(id, pid) {
    return this.#ask('process', { id, descriptor: pid });
  }

  holdSetting(id, path, before, ours) {
    return this.#ask('setting', { id, text: `${path}\0${before}\0${ours}\0` });
  }

  drop(id = 0) {
    return this.#ask('drop', { id });
  }

  latch() {
    return this.#ask('latch');
  }

  open() {
    return this.#ask('open');
  }

  notify(text) {
    return this.#ask('notify', { text });
  }

  hear() {
    const heard = addon().hearGuardian(this.#handle);
    if (heard === undefined) return undefined;
    const { kind, id, value, text } = heard;
    const answer = ANSWERS[kind] ?? 'gone';
    if (answer === 'home') return { kind: answer, cause: CAUSES[value], why: text };
    if (answer === 'ready') return { kind: answer, pid: value, how: text };
    if (answer !== 'held' && answer !== 'dropped') return { kind: answer };
    return value === 0 ? { kind: answer, id } : { kind: answer, id, code: text };
  }

  close() {
    addon().closeGuardian(this.#handle);
  }

  [Symbol.dispose]() {
    this.close();
  }
}

export class RingBuffer {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  take() {
    return addon().takeRing(this.#handle);
  }

  ref() {
    addon().refRing(this.#handle);
    return this;
  }

  unref() {
    addon().unrefRing(this.#handle);
    return this;
  }

  close() {
    addon().closeRing(this.#handle);
  }

  [Symbol.dispose]() {
    this.close();
  }
}

export function hasKernelBtf() {
  return addon().hasKernelBtf();
}

export function kernelHas(kind, ...names) {
  return addon().kernelHas(kind, names);
}

/** A tracepoint is a typedef of the function that its probes are. */
export function kernelHasTracepoint(...names) {
  return addon().kernelHas(
    'typedef',
    names.map((name) => `btf_trace_${name}`),
  );
}

export function possibleCpus() {
  return addon().possibleCpus();
}

export function libbpfVersion() {
  return addon().libbpfVersion();
}
