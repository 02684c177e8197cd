// SPDX-License-Identifier: GPL-2.0-only
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Guardian, type GuardianAnswer } from './index.js';
import { buildAddon } from './test/compile.ts';

buildAddon();

const LONG_MS = 20_000;
/** A beat that nobody misses within a test. */
const FOR_LONG = 600_000;
const INDEX = JSON.stringify(new URL('index.js', import.meta.url).href);

async function until(what: string, seen: () => boolean): Promise<void> {
  const untilMs = performance.now() + LONG_MS;
  while (!seen()) {
    if (performance.now() > untilMs) throw new Error(`not seen within ${LONG_MS} ms: ${what}`);
    await delay(5);
  }
}

/** The next answer of this kind. */
async function answer<K extends GuardianAnswer['kind']>(
  guardian: Guardian,
  kind: K,
): Promise<Extract<GuardianAnswer, { kind: K }>> {
  let heard: GuardianAnswer | undefined;
  await until(`the answer ${kind}`, () => {
    do heard = guardian.hear();
    while (heard !== undefined && heard.kind !== kind && heard.kind !== 'gone');
    return heard !== undefined;
  });
  if (heard?.kind !== kind) throw new Error(`it is ${heard?.kind}, instead of ${kind}`);
  return heard as Extract<GuardianAnswer, { kind: K }>;
}

/** Something that lasts as long as a descriptor of it is open, as a link of BPF does. */
class Link {
  readonly path = join(mkdtempSync(join(tmpdir(), 'guardian-')), 'link');
  readonly #read: number;

  constructor() {
    execFileSync('mkfifo', [this.path]);
    this.#read = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  take(): number {
    return openSync(this.path, constants.O_WRONLY);
  }

  get isHeld(): boolean {
    try {
      return readSync(this.#read, Buffer.alloc(1)) !== 0;
    } catch {
      // EAGAIN: somebody could write.
      return true;
    }
  }
}

/** A link, a scheduler that minds no signal but SIGKILL, and a setting, in the hands of a guardian. */
async function withWards(t: ExecutionContext, guardian: Guardian) {
  const link = new Link();
  const descriptor = link.take();
  const deaf = spawn('/bin/sh', ['-c', 'trap "" INT TERM HUP; echo on; while :; do sleep 0.1; done'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  t.teardown(() => deaf.kill('SIGKILL'));
  await once(deaf.stdout, 'data');
  const setting = `${link.path}.setting`;
  writeFileSync(setting, '10\n');
  guardian.beat(FOR_LONG);
  t.true(guardian.holdDescriptor(1, descriptor));
  closeSync(descriptor);
  t.true(guardian.holdProcess(2, deaf.pid as number));
  t.true(guardian.holdSetting(3, setting, '10', '20'));
  for (const id of [1, 2, 3]) t.deepEqual(await answer(guardian, 'held'), { kind: 'held', id });
  writeFileSync(setting, '20\n');
  const ended = () => deaf.signalCode === 'SIGKILL';
  const isHome = () => !link.isHeld && ended() && readFileSync(setting, 'utf8') === '10\n';
  return { link, setting, ended, isHome };
}

test('it says how it runs, and answers beats', async (t) => {
  using guardian = Guardian.start();
  const { pid, how } = await answer(guardian, 'ready');
  t.true(pid > 0);
  t.regex(how, /memory (not )?locked, .*, .*OOM killer, the kill file is not watched/);
  t.true(guardian.beat(FOR_LONG));
  t.is((await answer(guardian, 'alive')).kind, 'alive');
});

test('nothing is dropped as long as beats come', async (t) => {
  using guardian = Guardian.start();
  const { link, ended, setting } = await withWards(t, guardian);
  t.true(link.isHeld);
  t.false(ended());
  t.is(readFileSync(setting, 'utf8'), '20\n');
});

test('all is dropped when beats end, a scheduler that minds no signal too, and what for is told', async (t) => {
  using guardian = Guardian.start();
  const { isHome } = await withWards(t, guardian);
  guardian.beat(50);
  t.like(await answer(guardian, 'home'), { cause: 'no-beat' });
  await until('all is dropped', isHome);
  // Who is heard again is trusted again.
  guardian.beat(FOR_LONG);
  const again = new Link();
  const descriptor = again.take();
  guardian.holdDescriptor(4, descriptor);
  closeSync(descriptor);
  t.deepEqual(await answer(guardian, 'held'), { kind: 'held', id: 4 });
  t.true(again.isHeld);
});

test('what is asked for is dropped, and the rest stays', async (t) => {
  using guardian = Guardian.start();
  const { link, setting, ended } = await withWards(t, guardian);
  guardian.drop(3);
  t.deepEqual(await answer(guardian, 'dropped'), { kind: 'dropped', id: 3 });
  t.is(readFileSync(setting, 'utf8'), '10\n');
  t.true(link.isHeld);
  guardian.drop(1);
  t.deepEqual(await answer(guardian, 'dropped'), { kind: 'dropped', id: 1 });
  t.false(link.isHeld);
  guardian.drop(2);
  t.deepEqual(await answer(guardian, 'dropped'), { kind: 'dropped', id: 2 });
  await until('the scheduler ended', ended);
  guardian.drop(1);
  t.deepEqual(await answer(guardian, 'dropped'), { kind: 'dropped', id: 1 }, 'what is gone is dropped');
});

test('a scheduler that leads no process group is ended as well', async (t) => {
  using guardian = Guardian.start();
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  guardian.holdProcess(1, child.pid as number);
  t.is((await answer(guardian, 'held')).code, undefined);
  guardian.drop(1);
  t.is((await answer(guardian, 'dropped')).code, undefined);
  await until('it ended', () => child.signalCode === 'SIGINT');
  t.pass();
});

test('a setting that somebody else has changed since stays', async (t) => {
  using guardian = Guardian.start();
  const { setting } = await withWards(t, guardian);
  writeFileSync(setting, '30\n');
  guardian.drop();
  for (const _ of [1, 2, 3]) t.is((await answer(guardian, 'dropped')).code, undefined);
  t.is(readFileSync(setting, 'utf8'), '30\n');
});

test('of a list with a choice in brackets the choice counts', async (t) => {
  using guardian = Guardian.start();
  const path = new Link().path.replace(/link$/, 'scheduler');
  writeFileSync(path, 'none [bfq] kyber\n');
  guardian.holdSetting(1, path, 'kyber', 'bfq');
  t.deepEqual(await answer(guardian, 'held'), { kind: 'held', id: 1 });
  guardian.drop(1);
  // A file is no list of the kernel's: what was written there is not what it reads.
  t.deepEqual(await answer(guardian, 'dropped'), { kind: 'dropped', id: 1, code: 'EIO' });
  t.true(readFileSync(path, 'utf8').startsWith('kyber'));
});

test('a setting whose file is read and written in order only, as those of debugfs, is restored, too', async (t) => {
  using guardian = Guardian.start();
  // A FIFO has no places in it; what it is written it reads.
  const path = new Link().path;
  const own = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(own));
  guardian.holdSetting(1, path, '10', '20');
  t.deepEqual(await answer(guardian, 'held'), { kind: 'held', id: 1 });
  writeFileSync(own, '20\n');
  guardian.drop(1);
  t.deepEqual(await answer(guardian, 'dropped'), { kind: 'dropped', id: 1 });
  guardian.holdSetting(2, path, '10', '20');
  t.deepEqual(await answer(guardian, 'held'), { kind: 'held', id: 2 });
  writeFileSync(own, '30\n');
  guardian.drop(2);
  t.deepEqual(await answer(guardian, 'dropped'), { kind: 'dropped', id: 2 });
  // What somebody else wrote stays as it is: nothing was written after it.
  t.throws(() => readSync(own, Buffer.alloc(8)), { code: 'EAGAIN' });
});

test('once latched it drops all, and refuses to hold anything until it is opened', async (t) => {
  using guardian = Guardian.start();
  const { isHome } = await withWards(t, guardian);
  guardian.latch();
  await until('all is dropped', isHome);
  const take = async (id: number, link: Link) => {
    const descriptor = link.take();
    guardian.holdDescriptor(id, descriptor);
    closeSync(descriptor);
    return answer(guardian, 'held');
  };
  const late = new Link();
  t.deepEqual(await take(5, late), { kind: 'held', id: 5, code: 'ECANCELED' });
  t.false(late.isHeld);
  guardian.open();
  t.deepEqual(await take(6, late), { kind: 'held', id: 6 });
  t.true(late.isHeld);
});

test('SIGUSR1 and the kill file latch; SIGTERM ends it; each drops all and says so', async (t) => {
  for (const cause of ['signal', 'kill-file', 'ends'] as const) {
    const killFile = new Link().path.replace(/link$/, 'killed');
    using guardian = Guardian.start({ killFile });
    const { pid, how } = await answer(guardian, 'ready');
    t.regex(how, /the kill file is watched/);
    const { isHome } = await withWards(t, guardian);
    if (cause === 'kill-file') writeFileSync(killFile, '');
    else process.kill(pid, cause === 'ends' ? 'SIGTERM' : 'SIGUSR1');
    t.like(await answer(guardian, 'home'), { cause });
    await until(`all is dropped after ${cause}`, isHome);
    if (cause === 'ends') {
      t.is((await answer(guardian, 'gone')).kind, 'gone');
      t.false(guardian.beat(FOR_LONG));
      continue;
    }
    guardian.holdSetting(9, killFile, '', '1');
    t.like(await answer(guardian, 'held'), { id: 9, code: 'ECANCELED' });
  }
});

test('what cannot be held is refused in words, and does not stay', async (t) => {
  using guardian = Guardian.start();
  await answer(guardian, 'ready');
  guardian.holdSetting(1, '/nowhere/at/all', '1', '2');
  t.deepEqual(await answer(guardian, 'held'), { kind: 'held', id: 1, code: 'ENOENT' });
  t.throws(() => guardian.holdProcess(2, 2 ** 22 + 7), { code: 'ESRCH' });
  t.throws(() => Guardian.start({ program: '/nowhere/at/all' }), { code: 'ENOENT' });
  const links = Array.from({ length: 65 }, () => new Link());
  for (const [id, link] of links.entries()) {
    const descriptor = link.take();
    guardian.holdDescriptor(id + 10, descriptor);
    closeSync(descriptor);
    t.is((await answer(guardian, 'held')).code, id < 64 ? undefined : 'ENOSPC');
  }
  t.false(links[64]?.isHeld);
});

/** Another process that has a guardian, holds a link, and beats. */
async function holder(t: ExecutionContext, link: Link, env = process.env): Promise<ChildProcess> {
  const script = `
    import { closeSync, constants, openSync } from 'node:fs';
    const { Guardian } = await import(${INDEX});
    globalThis.guardian = Guardian.start();
    guardian.notify('READY=1\\nSTATUS=works');
    const beat = () => { guardian.beat(2000); while (guardian.hear() !== undefined); };
    beat();
    const descriptor = openSync(${JSON.stringify(link.path)}, constants.O_WRONLY);
    guardian.holdDescriptor(1, descriptor);
    closeSync(descriptor);
    setInterval(beat, 50);
    console.log('held');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  return child;
}

test('all is dropped when the other side is killed, and when it is stopped', async (t) => {
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    const link = new Link();
    const child = await holder(t, link);
    t.true(link.isHeld);
    child.kill(signal);
    await until(`the link is gone after ${signal}`, () => !link.isHeld);
  }
});

test('the service manager is told what it is to be told, and of beats', async (t) => {
  const path = new Link().path.replace(/link$/, 'notify');
  const listen = `use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un($ARGV[0])) or die $!; $| = 1;
    print "on\\n"; while (defined recv(S, my $m, 4096, 0)) { print "$m\\n" }`;
  const manager = spawn('perl', ['-e', listen, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => manager.kill('SIGKILL'));
  let told = '';
  manager.stdout.on('data', (chunk) => {
    told += chunk;
  });
  await until('somebody listens', () => told.startsWith('on\n'));
  await holder(t, new Link(), { ...process.env, NOTIFY_SOCKET: path });
  await until('both are told', () => told.startsWith('on\nREADY=1\nSTATUS=works\nWATCHDOG=1\n'));
  t.pass();
});
