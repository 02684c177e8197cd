// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import {
  type BpfError,
  BpfMap,
  BpfObject,
  hasKernelBtf,
  kernelHas,
  kernelHasTracepoint,
  libbpfVersion,
  possibleCpus,
  unavailable,
} from './index.js';
import { buildAddon, cannotLoad, compileBpf } from './test/compile.ts';

buildAddon();

const why = cannotLoad();
/** Tests that load programs; skipped, with the reason in their title, where the host cannot. */
const loads =
  why === undefined ? test.serial : (title: string, _: unknown) => test.skip(`${title} (${why})`, () => {});

const key = (value: number) => new Uint8Array(new Uint32Array([value]).buffer);
const u64 = (value: bigint) => new Uint8Array(new BigUint64Array([value]).buffer);
const open = () => BpfObject.open(compileBpf('sample'));

function callGetuid(times: number): void {
  for (let i = 0; i < times; i++) process.getuid?.();
}

/** The code of what `body` throws; its message must hold `words`. */
function codeOf(
  t: { regex(text: string, words: RegExp): unknown },
  body: () => unknown,
  words = /./,
): string {
  try {
    body();
  } catch (error) {
    const { code, message } = error as BpfError;
    t.regex(message, words);
    return code;
  }
  return 'nothing was thrown';
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

test('the addon is built by gcc alone and says which libbpf it has', (t) => {
  t.is(unavailable(), undefined);
  t.regex(libbpfVersion(), /^\d+\.\d+/);
  t.true(possibleCpus() >= 1);
});

test('an object can be looked at before anything is loaded', (t) => {
  const object = open();
  t.is(object.name, 'sample');
  t.deepEqual(
    object.programs.map(({ name, section, type }) => [name, section, type]),
    [
      ['on_call', 'raw_tp/sys_enter', 'raw_tracepoint'],
      ['on_demand', 'raw_tp', 'raw_tracepoint'],
    ],
  );
  const counts = object.map('counts');
  t.like(counts, { type: 'percpu_array', keySize: 4, valueSize: 16, maxEntries: 1, isPerCpu: true });
  t.deepEqual(counts.valueLayout, {
    name: 'counts',
    fields: [
      { name: 'calls', offset: 0, size: 8, count: 1, kind: 'unsigned' },
      { name: 'last', offset: 8, size: 4, count: 1, kind: 'signed' },
      { name: 'history', offset: 12, size: 1, count: 4, kind: 'unsigned' },
    ],
  });
  object.close();
});

test('an object opens from bytes, under a name of its own', (t) => {
  const object = BpfObject.open(readFileSync(compileBpf('sample')), { name: 'mine' });
  t.is(object.name, 'mine');
  object.close();
});

test('constants are read and set by the type that BTF gives them', (t) => {
  const object = open();
  const read = () => ['only_tgid', 'number', 'wide', 'flag', 'real'].map((name) => object.getGlobal(name));
  t.deepEqual(read(), [0, -3, 1n << 63n, true, 0.5]);
  t.deepEqual(object.getGlobal('text'), new Uint8Array([97, 98, 99, 0, 0, 0, 0, 0]));
  object.setGlobal('only_tgid', 7).setGlobal('number', -9).setGlobal('wide', 5n).setGlobal('flag', false);
  object.setGlobal('real', 2.25).setGlobal('text', Buffer.from('abcdefgh'));
  t.deepEqual(read(), [7, -9, 5n, false, 2.25]);
  t.is(object.setGlobal('wide', 12).getGlobal('wide'), 12n);
  object.close();
});

test('a value that does not fit its constant is refused, and changes nothing', (t) => {
  const object = open();
  const set = (name: string, value: unknown, words: RegExp) =>
    codeOf(t, () => object.setGlobal(name, value as number), words);
  t.is(set('only_tgid', 2 ** 32, /only_tgid: the value does not fit unsigned 32 bits/), 'ERR_OUT_OF_RANGE');
  t.is(set('only_tgid', -1, /whole number from 0/), 'ERR_OUT_OF_RANGE');
  t.is(set('only_tgid', 1.5, /whole number/), 'ERR_OUT_OF_RANGE');
  t.is(set('only_tgid', Number.NaN, /whole number/), 'ERR_OUT_OF_RANGE');
  t.is(set('only_tgid', '7', /must be a number/), 'ERR_INVALID_ARG_TYPE');
  t.is(set('number', 2 ** 31, /signed 32 bits/), 'ERR_OUT_OF_RANGE');
  t.is(set('wide', 1n << 64n, /64 bits/), 'ERR_OUT_OF_RANGE');
  t.is(set('wide', -1n, /64 bits/), 'ERR_OUT_OF_RANGE');
  t.is(set('flag', 1, /true or false/), 'ERR_INVALID_ARG_TYPE');
  t.is(set('text', Buffer.from('abc'), /text takes 8 bytes, got 3/), 'ERR_OUT_OF_RANGE');
  t.is(set('nothing', 1, /sample has no global variable nothing/), 'ERR_BPF_NO_GLOBAL');
  t.is(object.getGlobal('only_tgid'), 0);
  object.close();
});

test("constants take the values of the running kernel's enumerators", (t) => {
  const object = open();
  if (hasKernelBtf()) {
    t.is(object.setEnumerators('bpf_prog_type', '__'), 2);
    // include/uapi/linux/bpf.h
    t.is(object.getGlobal('__BPF_PROG_TYPE_TRACING'), 26n);
    t.is(object.getGlobal('__BPF_PROG_TYPE_SYSCALL'), 31);
    t.is(object.setEnumerators('no_such_enum', '__'), 0);
  }
  t.is(object.getGlobal('__BPF_PROG_TYPE_NOTHING'), 77n);
  object.close();
  t.is(
    codeOf(t, () => object.setEnumerators('bpf_prog_type', '__')),
    'ERR_BPF_CLOSED',
  );
});

test('what is no object file is refused with the words of libbpf', (t) => {
  t.is(
    codeOf(t, () => BpfObject.open('/nowhere/x.bpf.o'), /cannot open .*: ENOENT: no such file/),
    'ENOENT',
  );
  t.is(
    codeOf(t, () => BpfObject.open('/etc/passwd'), /not a proper ELF object/),
    'ERR_LIBBPF_FORMAT',
  );
  const whole = readFileSync(compileBpf('sample'));
  for (const length of [1, 64, 500, whole.length - 300]) {
    t.not(
      codeOf(t, () => BpfObject.open(whole.subarray(0, length))),
      'nothing was thrown',
      `${length} bytes`,
    );
  }
  t.is(
    codeOf(t, () => BpfObject.open(new Uint8Array()), /no bytes/),
    'ERR_INVALID_ARG_VALUE',
  );
  t.is(
    codeOf(t, () => BpfObject.open(3 as never), /must be a typed array/),
    'ERR_INVALID_ARG_TYPE',
  );
  t.is(
    codeOf(t, () => BpfObject.open('a\0b'), /NUL/),
    'ERR_INVALID_ARG_VALUE',
  );
});

test('an object that is closed, or not loaded, refuses', (t) => {
  const object = open();
  const [program] = object.programs;
  const map = object.map('table');
  t.is(
    codeOf(t, () => program?.attach(), /not loaded yet: call load/),
    'ERR_BPF_NOT_LOADED',
  );
  t.is(
    codeOf(t, () => map.lookup(key(0)), /not loaded yet/),
    'ERR_BPF_NOT_LOADED',
  );
  t.is(
    codeOf(t, () => object.program('x'), /It has: on_call, on_demand/),
    'ERR_BPF_NOT_FOUND',
  );
  object.close();
  object.close();
  t.is(
    codeOf(t, () => object.load(), /object is closed/),
    'ERR_BPF_CLOSED',
  );
  t.is(
    codeOf(t, () => program?.name, /program's object is closed/),
    'ERR_BPF_CLOSED',
  );
  t.is(
    codeOf(t, () => map.name, /map's object is closed/),
    'ERR_BPF_CLOSED',
  );
  t.is(
    codeOf(t, () => object.getGlobal('wide')),
    'ERR_BPF_CLOSED',
  );
});

loads('a program counts exactly the calls of one process, on whichever CPU they were', async (t) => {
  using object = open();
  object.setGlobal('only_tgid', process.pid).load();
  const link = object.program('on_call').attach();
  callGetuid(1000);
  link.destroy();
  link.destroy();
  callGetuid(1000);
  const values = object.map('counts').lookup(key(0)) as Uint8Array[];
  t.is(values.length, possibleCpus());
  t.is(
    values.reduce((sum, bytes) => sum + Number(new BigUint64Array(bytes.buffer, 0, 1)[0]), 0),
    1000,
  );
  t.is(object.getGlobal('calls_seen'), 1000n);
  t.is(object.setGlobal('calls_seen', 5n).getGlobal('calls_seen'), 5n);
  t.is(
    codeOf(t, () => object.setGlobal('only_tgid', 1), /constant once/),
    'ERR_BPF_LOADED',
  );
  t.is(
    codeOf(t, () => object.load(), /loaded already/),
    'ERR_BPF_LOADED',
  );
});

loads('a program that was left out of the load can be asked for nothing', (t) => {
  using object = open();
  object.program('on_call').autoload = false;
  object.load();
  t.is(
    codeOf(t, () => object.program('on_call').attach(), /left out of the load/),
    'ERR_BPF_NOT_LOADED',
  );
  t.is(object.program('on_demand').run({ cpu: 0 }), 2 ** 32 - 3);
  t.true(object.program('on_demand').info().id > 0);
  t.is(object.program('on_demand').info().recursionMisses, 0);
  t.not(
    codeOf(t, () => object.program('on_demand').run({ cpu: 100_000 })),
    'nothing was thrown',
  );
});

loads('the words of the verifier come with the error', (t) => {
  const object = BpfObject.open(compileBpf('refused'));
  const error = t.throws(() => object.load()) as BpfError;
  t.is(error.code, 'EACCES');
  t.regex(error.message, /invalid mem access 'map_value_or_null'/);
  t.true((error.log?.length ?? 0) >= error.message.length - 100);
  t.is(
    codeOf(t, () => object.load()),
    'ERR_BPF_CLOSED',
  );
});

loads('entries of a hash map come, change and go', (t) => {
  using object = open().load();
  const table = object.map('table');
  t.is(table.lookup(key(1)), undefined);
  table.update(key(1), u64(10n));
  t.deepEqual(table.lookup(key(1)), u64(10n));
  t.is(
    codeOf(t, () => table.update(key(1), u64(1n), 1), /File exists/),
    'EEXIST',
  );
  t.is(
    codeOf(t, () => table.update(key(2), u64(1n), 2)),
    'ENOENT',
  );
  t.true(table.delete(key(1)));
  t.false(table.delete(key(1)));
  t.deepEqual(table.entries(), []);
});

loads('all entries of a large map come in batches, each once', (t) => {
  using object = open().load();
  const table = object.map('table');
  for (let i = 0; i < 4000; i++) table.update(key(i), u64(BigInt(i) * 3n));
  const entries = table.entries() as [Uint8Array, Uint8Array][];
  const read = entries.map(
    ([k, v]) => [new Uint32Array(k.buffer)[0], new BigUint64Array(v.buffer)[0]] as const,
  );
  t.is(read.length, 4000);
  t.is(new Set(read.map(([k]) => k)).size, 4000);
  t.true(read.every(([k, v]) => BigInt(k as number) * 3n === v));
  t.is([...table.keys()].length, 4000);
});

loads('a value of a per-CPU map is a list, one for each possible CPU', (t) => {
  using object = open().load();
  const table = object.map('per_cpu_table');
  const values = Array.from({ length: possibleCpus() }, (_, cpu) => key(cpu + 40));
  table.update(key(3), values);
  t.deepEqual(table.lookup(key(3)), values);
  t.deepEqual(table.entries(), [[key(3), values]]);
  t.is(
    codeOf(t, () => table.update(key(3), key(1)), /one for each possible CPU/),
    'ERR_INVALID_ARG_TYPE',
  );
  t.is(
    codeOf(t, () => table.update(key(3), [...values, key(1)])),
    'ERR_INVALID_ARG_TYPE',
  );
  // An array has all its entries from the start.
  t.is(object.map('counts').entries().length, 1);
});

loads('a map without keys takes none', (t) => {
  using object = open().load();
  const queue = object.map('queue');
  queue.update(undefined, key(9));
  t.deepEqual(queue.lookup(), key(9));
});

loads('keys and values of a wrong size or kind never reach the kernel', (t) => {
  using object = open().load();
  const table = object.map('table');
  t.is(
    codeOf(t, () => table.lookup(new Uint8Array(3)), /a key has 4 bytes, got 3/),
    'ERR_OUT_OF_RANGE',
  );
  t.is(
    codeOf(t, () => table.lookup(new Uint8Array(8))),
    'ERR_OUT_OF_RANGE',
  );
  t.is(
    codeOf(t, () => table.update(key(1), key(1)), /a value has 8 bytes, got 4/),
    'ERR_OUT_OF_RANGE',
  );
  t.is(
    codeOf(t, () => table.lookup('1' as never)),
    'ERR_INVALID_ARG_TYPE',
  );
  t.is(
    codeOf(t, () => table.lookup(null as never)),
    'ERR_INVALID_ARG_TYPE',
  );
  t.is(
    codeOf(t, () => table.lookup()),
    'ERR_INVALID_ARG_TYPE',
  );
  t.is(
    codeOf(t, () => table.update(key(1), u64(1n), -1)),
    'ERR_OUT_OF_RANGE',
  );
  t.deepEqual(table.lookup(new DataView(new ArrayBuffer(4))), undefined);
});

loads('a ring buffer brings every record, in order, without holding up the event loop', async (t) => {
  using object = open();
  object.setGlobal('only_tgid', process.pid).load();
  const seen: bigint[] = [];
  const ring = object
    .map('events')
    .readRing((bytes) => seen.push(new BigUint64Array(bytes.buffer)[0] as bigint));
  const link = object.program('on_call').attach();
  for (let round = 0; round < 20; round++) {
    callGetuid(10);
    const until = performance.now() + 120_000;
    while (seen.length < (round + 1) * 10 && performance.now() < until) await delay(1);
  }
  link.destroy();
  t.deepEqual(
    seen,
    Array.from({ length: 200 }, (_, at) => BigInt(at + 1)),
  );
  ring.close();
  ring.close();
  t.is(
    codeOf(t, () => ring.take(), /ring buffer is closed/),
    'ERR_BPF_CLOSED',
  );
});

loads(
  'records can be taken out at once; a callback may close its ring, and what it throws comes out',
  (t) => {
    using object = open();
    object.setGlobal('only_tgid', process.pid).load();
    let act: () => void = () => {};
    let count = 0;
    const events = object.map('events');
    const ring = events.readRing(() => {
      count++;
      act();
    });
    using _ = object.program('on_call').attach();
    callGetuid(3);
    t.is(ring.take(), 3);
    act = () => {
      throw new Error('from the callback');
    };
    callGetuid(2);
    t.throws(() => ring.take(), { message: 'from the callback' });
    act = () => ring.take();
    callGetuid(1);
    t.is(
      codeOf(t, () => ring.take(), /cannot take records out itself/),
      'ERR_BPF_BUSY',
    );
    act = () => ring.close();
    callGetuid(5);
    count = 0;
    ring.take();
    t.is(count, 1);
    t.is(
      codeOf(t, () => object.map('table').readRing(() => {}), /no ring buffer/),
      'ERR_INVALID_ARG_VALUE',
    );
    t.is(
      codeOf(t, () => events.readRing(1 as never)),
      'ERR_INVALID_ARG_TYPE',
    );
  },
);

loads('performance events go into a perf_event_array, as far as the machine has them', (t) => {
  using object = open().load();
  const software = 1;
  const cpuClock = 0;
  t.is(object.map('clocks').fillPerfEvents(software, cpuClock), possibleCpus());
  t.is(object.map('clocks').fillPerfEvents(12345, 0), 0);
  t.is(
    codeOf(t, () => object.map('table').fillPerfEvents(1, 0), /no perf_event_array/),
    'ERR_INVALID_ARG_VALUE',
  );
});

loads('a struct_ops is registered until its link is destroyed, or its object closed', (t) => {
  const names = () => readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8');
  const object = BpfObject.open(compileBpf('congestion')).load();
  const link = object.map('constant').attachStructOps();
  t.regex(names(), /napi_constant/);
  link.destroy();
  t.notRegex(names(), /napi_constant/);
  object.close();
  const again = BpfObject.open(compileBpf('congestion')).load();
  again.map('constant').attachStructOps();
  t.regex(names(), /napi_constant/);
  again.close();
  t.notRegex(names(), /napi_constant/);
  using sample = open().load();
  t.is(
    codeOf(t, () => sample.map('table').attachStructOps(), /no struct_ops map/),
    'ERR_INVALID_ARG_VALUE',
  );
});

loads('a number in a struct_ops is set before it is loaded, where libbpf can', (t) => {
  const [major = 0, minor = 0] = libbpfVersion().split('.').map(Number);
  const able = major > 1 || minor >= 4;
  using object = BpfObject.open(compileBpf('congestion'));
  const map = object.map('constant');
  const set = (name: string, value: number) => codeOf(t, () => map.setMember(name, value));
  t.is(set('flags', 1), able ? 'nothing was thrown' : 'ERR_EBPF_UNAVAILABLE');
  if (able) {
    t.is(map.getMember('flags'), 1);
    t.is(set('flags', 2 ** 32), 'ERR_OUT_OF_RANGE');
    t.is(set('ssthresh', 1), 'ERR_BPF_NOT_FOUND');
    t.is(set('nothing', 1), 'ERR_BPF_NOT_FOUND');
  }
  object.load();
  t.is(set('flags', 1), 'ERR_BPF_LOADED');
  if (able) {
    map.attachStructOps();
    // TCP_CONG_NON_RESTRICTED (include/net/tcp.h): everybody may choose it.
    t.regex(readFileSync('/proc/sys/net/ipv4/tcp_allowed_congestion_control', 'utf8'), /napi_constant/);
  }
  using sample = open();
  t.is(
    codeOf(t, () => sample.map('table').setMember('flags', 1), /only a struct_ops/),
    'ERR_INVALID_ARG_VALUE',
  );
});

/** Descriptors that a process of its own has open before and after it used objects in this way. */
function leaks(how: 'collect' | 'workers'): { before: number; during: number; after: number } {
  const script = new URL('test/leaks.ts', import.meta.url).pathname;
  return JSON.parse(
    execFileSync(process.execPath, [script, how, compileBpf('sample')], { encoding: 'utf8' }),
  );
}

loads('what is no longer reachable is closed: as many descriptors as before', (t) => {
  const { before, during, after } = leaks('collect');
  t.true(during > before);
  t.is(after, before);
});

loads('workers load, attach and end without leaving anything', (t) => {
  const { before, after } = leaks('workers');
  t.is(after, before);
});

loads('a link that nobody holds lasts as long as its object', async (t) => {
  using object = open();
  object.setGlobal('only_tgid', process.pid).load();
  object.program('on_call').attach();
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await delay(20);
  }
  // Whoever waits in this process may call it, too.
  const before = Number(object.getGlobal('calls_seen'));
  callGetuid(10);
  t.is(Number(object.getGlobal('calls_seen')) - before, 10);
});

loads("BTF tells what this kernel's tracepoints, types and functions are", (t) => {
  t.true(hasKernelBtf());
  t.deepEqual(kernelHasTracepoint('sched_switch', 'no_such_tracepoint'), [true, false]);
  t.deepEqual(kernelHas('struct', 'task_struct', 'no_such_struct'), [true, false]);
  t.is(
    codeOf(t, () => kernelHas('struct', 1 as never)),
    'ERR_INVALID_ARG_TYPE',
  );
  t.is(
    codeOf(t, () => kernelHas('thing' as never, 'x'), /kind must be/),
    'ERR_INVALID_ARG_VALUE',
  );
  t.is(
    codeOf(t, () => BpfMap.openPinned('/nowhere'), /No such file/),
    'ENOENT',
  );
});

test('handles cannot be made by hand', (t) => {
  for (const Class of [BpfObject, BpfMap]) {
    const Forged = Class as unknown as new (handle: unknown) => { readonly name: string };
    t.is(
      codeOf(t, () => new Forged({}).name, /no (object|map) of ebpf-napi/),
      'ERR_INVALID_ARG_TYPE',
    );
  }
});
