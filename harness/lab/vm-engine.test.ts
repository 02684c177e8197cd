// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { PlannedTrial } from '../core/trial.ts';
import { runTrials } from '../run/controller.ts';
import { ordersFor } from '../run/orders.ts';
import { CATALOG, EEVDF, HACKBENCH, MemoryLog, plannedTrials, SPEC } from '../run/scene.ts';
import type { Engine, FrameKind, GuestOutcome } from './engine.ts';
import type { ReadyImage } from './image.ts';
import { defaultHostDeadlineMs, vmEngine } from './vm-engine.ts';

// The scripts that play QEMU need a shell, which a confined machine does not see.
process.env.PMVX_CONFINE = 'no';

const [PLANNED] = plannedTrials(1) as [PlannedTrial];
const ORDERS = ordersFor(PLANNED, HACKBENCH, EEVDF);
const NEVER = new AbortController().signal;

interface Lab {
  readonly scratch: string;
  readonly image: ReadyImage;
}

/** An image whose QEMU is a shell script: it stands in the trial's folder and writes what a machine would. */
async function labWith(t: ExecutionContext, script: string): Promise<Lab> {
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-fake-qemu-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const folder = join(scratch, 'image');
  const program = join(folder, 'qemu/lib/ld-linux-x86-64.so.2');
  await mkdir(join(folder, 'qemu/lib'), { recursive: true });
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const manifest = {
    v: 1,
    recipe: 'fake',
    id: 'fake-1',
    guestKernel: '7',
    qemuVersion: '10',
    rootMiB: 640,
    files: {},
  } as const;
  return { scratch, image: { folder, manifest, digest: 'd' } };
}

function engineOf(lab: Lab, deadlineMs = 60_000): Engine {
  return vmEngine('exact', lab.image, { hostDeadlineMs: () => deadlineMs });
}

function boot(lab: Lab, deadlineMs?: number): Promise<GuestOutcome> {
  return engineOf(lab, deadlineMs).runTrial(ORDERS, SPEC.machine, join(lab.scratch, '0000'), NEVER);
}

function frameText(kind: string, payload: string): string {
  const head = `PMVX 2 ${kind} 1000 ${payload.length}`;
  return `${head} ${crc32(head + payload)
    .toString(16)
    .padStart(8, '0')}\n${payload}\n`;
}

test('a machine that says done and powers off is done, with the digest of all that it said', async (t) => {
  const data = frameText('hello', '{}') + frameText('done', '{}');
  const lab = await labWith(t, `cat > data <<'E'\n${data}E\necho booted > console.log`);
  const outcome = await boot(lab);
  t.is(outcome.ended, 'done');
  t.is(outcome.cause, undefined);
  t.deepEqual(
    outcome.frames.map(({ kind, guestNs }) => [kind, guestNs]),
    [
      ['hello', 1000n],
      ['done', 1000n],
    ],
  );
  t.is(outcome.transcript, createHash('sha256').update(data).digest('hex'));
  t.is(outcome.consoleTail, 'booted\n');
  t.true(outcome.hostSeconds > 0 && outcome.hostSeconds < 60);
});

test('the mailbox is there before the start, and only the console stays in the folder', async (t) => {
  const lab = await labWith(t, 'head -c 15 mailbox > console.log');
  t.is((await boot(lab)).consoleTail, 'PMVX-ORDERS 2 2');
  t.deepEqual(await readdir(join(lab.scratch, '0000')), ['console.log']);
});

const deaths: [string, string, string, FrameKind[]][] = [
  [
    'refuses its arguments',
    'echo "qemu: invalid option" >&2; exit 1',
    'QEMU exited with code 1: qemu: invalid option',
    [],
  ],
  ['ends without a word', 'exit 0', 'QEMU exited with code 0', []],
  ['is killed', 'kill -KILL $$', 'QEMU was killed by SIGKILL', []],
  [
    'ends before the guest was done',
    `cat > data <<'E'\n${frameText('hello', '{}')}E`,
    'QEMU exited with code 0',
    ['hello'],
  ],
  [
    'is cut off in the middle of a frame',
    `printf '%s' '${frameText('hello', '{}')}PMVX 2 done 5 2' > data`,
    'QEMU exited with code 0; no frame header at byte 32 of 47',
    ['hello'],
  ],
  [
    'says done and then fails',
    `cat > data <<'E'\n${frameText('done', '{}')}E\necho "cannot write" >&2; exit 1`,
    'QEMU exited with code 1: cannot write',
    ['done'],
  ],
  [
    'sends rubbish after its done',
    `cat > data <<'E'\n${frameText('done', '{}')}rubbish\nE`,
    'QEMU exited with code 0; no frame header at byte 31 of 39',
    ['done'],
  ],
];
for (const [name, script, cause, kinds] of deaths) {
  test(`a machine that ${name} has died, and the cause says how`, async (t) => {
    const outcome = await boot(await labWith(t, script));
    t.is(outcome.ended, 'died');
    t.is(outcome.cause, cause);
    t.deepEqual(
      outcome.frames.map(({ kind }) => kind),
      kinds,
    );
  });
}

test('a machine that hangs is stopped at the deadline, and its console is there', async (t) => {
  const outcome = await boot(await labWith(t, 'echo stuck > console.log; exec sleep 1000'), 300);
  t.is(outcome.ended, 'deadline');
  t.is(outcome.consoleTail, 'stuck\n');
  t.is(outcome.cause, undefined);
});

test('of a long console beginning and end are kept in the outcome, and all of it in the folder', async (t) => {
  const lab = await labWith(t, 'seq 1 10000 > console.log');
  const { consoleTail } = await boot(lab);
  t.regex(consoleTail, /^1\n2\n/);
  t.regex(consoleTail, /\n\[pmvx: 16126 bytes left out\]\n/);
  t.true(consoleTail.endsWith('\n9999\n10000\n'));
  t.regex(await readFile(join(lab.scratch, '0000/console.log'), 'utf8'), /^1\n2\n/);
});

test('aborting rejects with the reason and leaves neither process nor mailbox', async (t) => {
  const lab = await labWith(t, 'echo up > console.log; exec sleep 1000');
  const stop = new AbortController();
  const reason = new Error('stopped by the user');
  const folder = join(lab.scratch, '0000');
  const end = engineOf(lab).runTrial(ORDERS, SPEC.machine, folder, stop.signal);
  stop.abort(reason);
  t.is(await t.throwsAsync(end), reason);
  t.false((await readdir(folder)).includes('mailbox'));
});

test('the block hash is handed over only when it is asked for', async (t) => {
  const lab = await labWith(t, 'case "$*" in *hash=hash.json*) echo abc > hash.json;; esac');
  const hashes: string[] = [];
  const engine = vmEngine('exact', lab.image, {
    hostDeadlineMs: () => 60_000,
    onHash: (hash) => hashes.push(hash.trim()),
  });
  await engine.runTrial(ORDERS, SPEC.machine, join(lab.scratch, 'hashed'), NEVER);
  t.deepEqual(hashes, ['abc']);
  await boot(lab);
  t.false((await readdir(join(lab.scratch, '0000'))).includes('hash.json'));
});

test('a QEMU that dies at start is tried twice, and then its trial is left without a record', async (t) => {
  const lab = await labWith(t, 'echo "qemu: cannot set up guest memory" >&2; exit 1');
  const log = new MemoryLog();
  const lost: (readonly [string, boolean])[] = [];
  const end = await runTrials({
    run: 'r',
    spec: SPEC,
    trials: [PLANNED],
    catalog: CATALOG,
    engine: engineOf(lab),
    log,
    consoles: join(lab.scratch, 'consoles'),
    jobs: 1,
    signal: NEVER,
    watch: (event) => event.kind === 'lost' && lost.push([event.cause, event.again]),
  });
  t.is(end, 'machines-lost');
  const cause = 'QEMU exited with code 1: qemu: cannot set up guest memory';
  t.deepEqual(lost, [
    [cause, true],
    [cause, false],
  ]);
  t.deepEqual(log.records, []);
  t.deepEqual((await readdir(join(lab.scratch, 'consoles'))).sort(), ['0000', '0000-attempt2']);
});

test('the host waits many times longer than the guest may take, and longer for more vCPUs', (t) => {
  const of = (vcpus: number) => defaultHostDeadlineMs(ORDERS, { ...SPEC.machine, vcpus });
  t.is(ORDERS.deadlineMs, 20_000);
  t.is(of(1), 400_000);
  t.is(of(8), 1_520_000);
});
