// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { PolicyDefinition } from '../core/policy.ts';
import type { Seed } from '../core/seed.ts';
import type { Orders } from './engine.ts';
import { addBlock, encodeBlocks, MAILBOX_BYTES, writeMailbox } from './mailbox.ts';

const words = { summary: 's', suits: 's', weakness: 's', source: 's' };
function scheduler(id: string, ops: string, ...argv: string[]): { id: string; definition: PolicyDefinition } {
  return { id, definition: { kind: 'process', ...words, argv, ops } };
}
const FLATCG = scheduler('flatcg', 'flatcg', '/opt/scx_flatcg');
const SIMPLE = scheduler('simple', 'simple', '/opt/scx_simple');
const FIFO = scheduler('fifo', 'simple', '/opt/scx_simple', '-f');

const BUILTIN: Orders = {
  trial: '0007',
  seed: 77 as Seed,
  policy: { id: 'eevdf', definition: { kind: 'builtin', ...words } },
  candidates: [],
  run: ['/usr/bin/hackbench', '-l', '60'],
  deadlineMs: 60_000,
};
const PROCESS: Orders = {
  ...BUILTIN,
  policy: SIMPLE,
  candidates: [FIFO, FLATCG, SIMPLE],
  warmup: ['/usr/bin/hackbench', '-l', '5'],
  forkAtMs: 250,
};

function bodies(orders: Orders): string[] {
  return encodeBlocks(orders).map((block) => {
    const text = block.toString('latin1');
    return text.slice(text.indexOf('\n') + 1);
  });
}

function runLines(run: readonly string[]): string[] {
  const [, body = ''] = bodies({ ...BUILTIN, run });
  return body.split('\n').filter((line) => line.startsWith('run.'));
}

test('a trial of the built-in scheduler has no candidates, a run and the choice', (t) => {
  t.deepEqual(bodies(BUILTIN), [
    'policy.deadline_ms 120000\n',
    'seed 77\nrun.arg %2Fusr%2Fbin%2Fhackbench\nrun.arg -l\nrun.arg 60\nrun.deadline_ms 60000\n',
    'policy.kind builtin\n',
  ]);
});

test('candidates come with their arguments, the run with warm-up and fork time, the choice by number and name', (t) => {
  t.deepEqual(bodies(PROCESS), [
    'policy.deadline_ms 120000\n' +
      'candidate.ops simple\ncandidate.arg %2Fopt%2Fscx_simple\ncandidate.arg -f\n' +
      'candidate.ops flatcg\ncandidate.arg %2Fopt%2Fscx_flatcg\n' +
      'candidate.ops simple\ncandidate.arg %2Fopt%2Fscx_simple\n',
    'seed 77\nwarmup.arg %2Fusr%2Fbin%2Fhackbench\nwarmup.arg -l\nwarmup.arg 5\n' +
      'run.arg %2Fusr%2Fbin%2Fhackbench\nrun.arg -l\nrun.arg 60\nrun.deadline_ms 60000\nfork.at_ms 250\n',
    'policy.kind process\npolicy.ops simple\npolicy.candidate 2\n',
  ]);
});

test('every block has a header with its length and CRC', (t) => {
  for (const block of encodeBlocks(PROCESS)) {
    const [head = '', ...rest] = block.toString().split('\n');
    const body = rest.join('\n');
    t.is(head, `PMVX-ORDERS 2 ${body.length} ${crc32(body).toString(16).padStart(8, '0')}`);
  }
});

test('what is read before the choice is the same for every policy, and the candidates are so for every seed', (t) => {
  const [candidates, run, choice] = encodeBlocks(PROCESS);
  const [others, otherRun, otherChoice] = encodeBlocks({ ...PROCESS, policy: FIFO, trial: '0099' });
  t.deepEqual([others, otherRun], [candidates, run]);
  t.notDeepEqual(otherChoice, choice);
  const [seeded, seededRun] = encodeBlocks({ ...PROCESS, seed: 78 as Seed });
  t.deepEqual(seeded, candidates);
  t.notDeepEqual(seededRun, run);
});

test('two policies with one program are one candidate, whatever they are called', (t) => {
  const [, , choice] = bodies({ ...PROCESS, policy: { ...FLATCG, id: 'another' } });
  t.is(choice, 'policy.kind process\npolicy.ops flatcg\npolicy.candidate 1\n');
});

test('a policy that is not among the candidates is refused by its id', (t) => {
  const error = t.throws(() => encodeBlocks({ ...PROCESS, candidates: [FIFO] }), { instanceOf: RangeError });
  t.is(error.message, 'policy simple is not among the candidates');
});

test('a candidate that no process holds is refused by its id', (t) => {
  const error = t.throws(() => encodeBlocks({ ...PROCESS, candidates: [BUILTIN.policy] }), {
    instanceOf: RangeError,
  });
  t.is(error.message, 'candidate eevdf is no process');
});

test('the guest takes 64 candidates and 128 arguments of a program; one more is refused by its number', (t) => {
  const candidates = (count: number) =>
    Array.from({ length: count }, (_, at) => scheduler(`p${at}`, 'simple', '/opt/scx_simple', String(at)));
  t.notThrows(() => encodeBlocks({ ...BUILTIN, candidates: candidates(64) }));
  const many = t.throws(() => encodeBlocks({ ...BUILTIN, candidates: candidates(65) }));
  t.is(many?.message, '65 candidates; the guest holds at most 64');
  t.notThrows(() => encodeBlocks({ ...BUILTIN, run: Array(128).fill('x') }));
  const long = t.throws(() => encodeBlocks({ ...BUILTIN, run: Array(129).fill('x') }));
  t.is(long?.message, 'run.arg: 129 arguments; the guest takes at most 128');
  const argv = [scheduler('p', 'simple', ...Array(129).fill('x'))];
  const scheduled = t.throws(() => encodeBlocks({ ...BUILTIN, candidates: argv }));
  t.is(scheduled?.message, 'candidate.arg: 129 arguments; the guest takes at most 128');
});

test('the CRC in the header has eight digits also when it begins with zeros', (t) => {
  const small = Array.from({ length: 1000 }, (_, at) => encodeBlocks({ ...BUILTIN, seed: at as Seed })[1]);
  const digits = small.map((block) => block.toString().split('\n')[0]?.split(' ')[3] ?? '');
  t.true(digits.some((crc) => crc.startsWith('0')));
  t.true(digits.every((crc) => /^[0-9a-f]{8}$/.test(crc)));
});

test('a newline, a percent sign, UTF-8 and an empty argument stay within their line', (t) => {
  t.deepEqual(runLines(['/bin/sh', '-c', 'a\nrun.deadline_ms 1', '100 %', 'größe', '']), [
    'run.arg %2Fbin%2Fsh',
    'run.arg -c',
    'run.arg a%0Arun.deadline_ms%201',
    'run.arg 100%20%25',
    'run.arg gr%C3%B6%C3%9Fe',
    'run.arg ',
    'run.deadline_ms 60000',
  ]);
});

test('every argument reads back as it was given', (t) => {
  const run = Array.from({ length: 95 }, (_, at) => `x${String.fromCodePoint(32 + at)}\t${at}`);
  const found = runLines(run)
    .filter((line) => line.startsWith('run.arg '))
    .map((line) => decodeURIComponent(line.slice('run.arg '.length)));
  t.deepEqual(found, run);
});

test('orders that the guest has no room for are refused with both sizes', (t) => {
  const error = t.throws(() => encodeBlocks({ ...BUILTIN, run: ['x'.repeat(1_044_480)] }), {
    instanceOf: RangeError,
  });
  t.is(error.message, 'orders of 1044519 bytes; at most 1044480 fit');
});

test('an argument that a program cannot be given is refused by its place', (t) => {
  const error = t.throws(() => encodeBlocks({ ...BUILTIN, run: ['/bin/echo', 'a\0b'] }), {
    instanceOf: RangeError,
  });
  t.is(error.message, 'run.arg "a\\u0000b" holds a NUL, which ends an argument');
});

const WAIT = Buffer.from('PMVX-ORDERS 2 0 00000000 WAIT\n');

async function mailboxPath(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-mailbox-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'mailbox');
}

/** Fails unless the mailbox holds exactly these blocks, each at its place and with nothing behind it. */
async function holds(t: ExecutionContext, path: string, blocks: readonly Buffer[]): Promise<void> {
  const file = await open(path);
  for (const [at, block] of blocks.entries()) {
    const { buffer } = await file.read(Buffer.alloc(block.length + 1), 0, block.length + 1, at * 2 ** 20);
    t.deepEqual(buffer, Buffer.concat([block, Buffer.alloc(1)]), `block ${at}`);
  }
  await file.close();
}

test('the mailbox is a sparse file of the size that the machine maps, with a block at each MiB', async (t) => {
  const path = await mailboxPath(t);
  await writeMailbox(path, PROCESS);
  const found = await stat(path);
  t.is(found.size, MAILBOX_BYTES);
  t.true(found.blocks * 512 < 2 ** 20);
  await holds(t, path, encodeBlocks(PROCESS));
});

test('blocks that are yet to come ask the guest to wait, and can be added while a machine maps the file', async (t) => {
  const path = await mailboxPath(t);
  const [candidates, run, choice] = encodeBlocks(PROCESS);
  await writeMailbox(path, PROCESS, 1);
  const { ino } = await stat(path);
  await holds(t, path, [candidates, WAIT, WAIT]);
  await addBlock(path, PROCESS, 2);
  await holds(t, path, [candidates, WAIT, choice]);
  await addBlock(path, PROCESS, 1);
  await holds(t, path, [candidates, run, choice]);
  const found = await stat(path);
  t.deepEqual([found.ino, found.size], [ino, MAILBOX_BYTES]);
});

const KNOB: { id: string; definition: PolicyDefinition } = {
  id: 'tcp-bbr',
  definition: {
    kind: 'knob',
    ...words,
    subsystem: 'network',
    modules: ['tcp_bbr'],
    settings: [
      { path: '/proc/sys/net/ipv4/tcp_congestion_control', value: 'bbr' },
      { path: '/sys/kernel/mm/lru_gen/enabled', value: 'n', reads: '0x0000' },
    ],
  },
};

test('settings come with the modules that they need, by number, and with what they must read', (t) => {
  const [candidates, , choice] = bodies({ ...BUILTIN, policy: KNOB, modules: ['null_blk gb=1', 'tcp_bbr'] });
  t.is(candidates, 'policy.deadline_ms 120000\nknob.module null_blk%20gb%3D1\nknob.module tcp_bbr\n');
  t.is(
    choice,
    'policy.kind knob\nknob.needs 1\n' +
      'knob.path %2Fproc%2Fsys%2Fnet%2Fipv4%2Ftcp_congestion_control\nknob.value bbr\n' +
      'knob.path %2Fsys%2Fkernel%2Fmm%2Flru_gen%2Fenabled\nknob.value n\nknob.reads 0x0000\n',
  );
});

test('a module that no order loads, and one more than the guest takes, are refused', (t) => {
  const missing = t.throws(() => encodeBlocks({ ...BUILTIN, policy: KNOB, modules: ['bfq'] }));
  t.is(missing?.message, 'module tcp_bbr of policy tcp-bbr is not among those to load');
  const modules = Array.from({ length: 17 }, (_, at) => `m${at}`);
  t.notThrows(() => encodeBlocks({ ...BUILTIN, modules: modules.slice(1) }));
  const many = t.throws(() => encodeBlocks({ ...BUILTIN, modules }));
  t.is(many?.message, '17 kernel modules; the guest loads at most 16');
});

test('a scheduler of our own is held by the loader, with its constants in a fixed order', (t) => {
  const own = {
    id: 'mine',
    definition: { kind: 'struct_ops', ...words, ops: 'mine', constants: { slice_ns: 5, a_flag: 1 } },
  } as const;
  const [candidates, , choice] = bodies({ ...BUILTIN, policy: own, candidates: [own] });
  t.true(candidates?.endsWith('.bpf.o\ncandidate.arg a_flag%3D1\ncandidate.arg slice_ns%3D5\n'), candidates);
  t.is(choice, 'policy.kind process\npolicy.ops mine\npolicy.candidate 0\n');
});

/** The second file begins at a page of its own. */
const FILES: Orders = {
  ...BUILTIN,
  files: [
    { path: '/run/pmvx-a b', content: Buffer.alloc(5000, 'a') },
    { path: '/run/pmvx-c', content: Buffer.from('c') },
  ],
};
const FILES_AT = 4 * 2 ** 20;

test('files are named in the run with length and CRC', (t) => {
  const [, run = ''] = bodies(FILES);
  t.deepEqual(
    run.split('\n').filter((line) => line.startsWith('file.')),
    [
      ...['file.path %2Frun%2Fpmvx-a%20b', 'file.size 5000', `file.crc32 ${crc32(Buffer.alloc(5000, 'a'))}`],
      ...['file.path %2Frun%2Fpmvx-c', 'file.size 1', `file.crc32 ${crc32(Buffer.from('c'))}`],
    ],
  );
});

test('files stand in the mailbox one after the other, each at a page, and come with the block that names them', async (t) => {
  const path = await mailboxPath(t);
  const stored = async () => {
    const file = await open(path, 'r');
    const { buffer } = await file.read(Buffer.alloc(3 * 4096), 0, 3 * 4096, FILES_AT);
    await file.close();
    return buffer;
  };
  const wanted = Buffer.alloc(3 * 4096);
  wanted.fill('a', 0, 5000).write('c', 8192);
  await writeMailbox(path, FILES, 1);
  t.deepEqual(await stored(), Buffer.alloc(3 * 4096));
  await addBlock(path, FILES, 1);
  t.deepEqual(await stored(), wanted);
  const other = await mailboxPath(t);
  await writeMailbox(other, FILES);
  const file = await open(other, 'r');
  t.deepEqual((await file.read(Buffer.alloc(3 * 4096), 0, 3 * 4096, FILES_AT)).buffer, wanted);
  await file.close();
  t.is((await stat(other)).size, MAILBOX_BYTES);
});

test('files that do not fit, by number or by size, are refused', (t) => {
  const small = { path: '/run/x', content: Buffer.from('x') };
  t.throws(() => encodeBlocks({ ...BUILTIN, files: Array(9).fill(small) }), {
    message: '9 files; the guest takes at most 8',
  });
  const last = MAILBOX_BYTES - FILES_AT;
  t.notThrows(() => encodeBlocks({ ...BUILTIN, files: [{ path: '/run/x', content: Buffer.alloc(last) }] }));
  t.throws(
    () => encodeBlocks({ ...BUILTIN, files: [{ path: '/run/x', content: Buffer.alloc(last) }, small] }),
    {
      message: `files end at ${MAILBOX_BYTES + 4096}, past the mailbox of ${MAILBOX_BYTES} bytes, with /run/x`,
    },
  );
});
