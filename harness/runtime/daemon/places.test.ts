// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Disk } from './disk.ts';
import { startHeartbeat } from './heartbeat.ts';
import { Latch } from './latch.ts';
import { takeLock } from './lock.ts';
import { ownPlaces } from './own-places.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'pmvx-places-'));

/** Whether another process can have these places, and if not, in which words. */
function refusal(places: Parameters<typeof ownPlaces>[0]): string | undefined {
  const script = `
    const { ownPlaces } = await import(${JSON.stringify(join(import.meta.dirname, 'own-places.ts'))});
    try { ownPlaces(${JSON.stringify(places)}).release(); } catch (error) { console.log(error.message); }`;
  const said = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  return said === '' ? undefined : said;
}

test('another daemon, or a dry run, cannot have one of the places that a daemon has, by whatever name', (t) => {
  const [mine, theirs] = [folder(), folder()];
  symlinkSync(mine, join(theirs, 'way'));
  const own = {
    state: mine,
    socket: join(mine, 'a.sock'),
    journal: join(theirs, 'shared.jsonl'),
    metrics: `unix:${join(theirs, 'm.sock')}`,
  };
  const lock = ownPlaces({ ...own, machine: join(mine, 'machine.lock') });
  const other = {
    state: join(theirs, 'state'),
    socket: join(theirs, 'b.sock'),
    journal: join(theirs, 'state/j.jsonl'),
  };
  t.is(refusal(other), undefined);
  for (const places of [
    { ...other, state: mine },
    { ...other, state: join(theirs, 'way') },
    { ...other, journal: own.journal },
    { ...other, queue: own.journal },
    { ...other, metrics: own.metrics },
    { ...other, machine: join(theirs, 'way/machine.lock') },
  ])
    t.regex(refusal(places) ?? '', /another pmvx autotune has this place \(process \d+\). .*--state/);
  t.is(refusal(other), undefined, 'a refusal keeps nothing');
  lock.release();
  t.is(refusal(own), undefined);
});

test('a socket that another one answers at is not taken away from it', (t) => {
  const [mine, theirs] = [folder(), folder()];
  const socket = join(mine, 'run.sock');
  const lock = ownPlaces({ state: join(mine, 'state'), socket, journal: join(mine, 'state/j') });
  t.regex(
    refusal({ state: theirs, socket, journal: join(theirs, 'j') }) ?? '',
    /another pmvx autotune has this place/,
  );
  lock.release();
});

test('a lock is its owner’s alone, a file, and no link to one', (t) => {
  const place = folder();
  const path = join(place, 'lock');
  writeFileSync(path, '', { mode: 0o644 });
  takeLock(path).release();
  t.is(statSync(path).mode & 0o777, 0o600);
  writeFileSync(join(place, 'else'), 'theirs');
  symlinkSync(join(place, 'else'), join(place, 'link'));
  t.throws(() => takeLock(join(place, 'link')), { message: /the lock cannot be taken: ELOOP/ });
  t.is(readFileSync(join(place, 'else'), 'utf8'), 'theirs');
  execFileSync('mkfifo', [join(place, 'pipe')]);
  t.throws(() => takeLock(join(place, 'pipe')), { message: /the lock cannot be taken: it is no file/ });
});

test('the kill switch holds at once, is on the disk when that takes it, and uses the room that was reserved', async (t) => {
  const disk = new Disk();
  const latch = new Latch(join(folder(), 'killed'), disk);
  latch.reserve();
  t.true(existsSync(`${latch.path}.reserve`));
  t.is(latch.read(), undefined);
  const slow = Promise.withResolvers<void>();
  void disk.later(() => slow.promise);
  latch.set('enough');
  t.is(latch.read(), 'enough');
  t.false(existsSync(latch.path));
  slow.resolve();
  t.true(await disk.idle(60_000));
  t.false(existsSync(`${latch.path}.reserve`), 'it became the file');
  t.is(new Latch(latch.path).read(), 'enough');
  await latch.clear();
  t.is(latch.read(), undefined);
  t.false(existsSync(latch.path));
  t.true(existsSync(`${latch.path}.reserve`), 'for the next time');
  t.is(latch.fault, undefined);
});

test('a kill switch that cannot be kept holds for this life, and says so', async (t) => {
  const disk = new Disk();
  const latch = new Latch('/proc/nowhere/killed', disk);
  latch.reserve();
  t.regex(latch.fault ?? '', /^no room could be reserved for the kill switch/);
  latch.set('enough');
  await disk.idle(60_000);
  t.is(latch.read(), 'enough');
  t.regex(latch.fault ?? '', /is latched for this life of the daemon alone/);
});

test('the guardian hears from a loop that comes round; what it did is told; a daemon without one ends', (t) => {
  const told: string[] = [];
  const keeper = {
    how: '',
    gone: false,
    homes: () => homes.splice(0),
    beat: (ms: number) => void told.push(`beat ${ms}`),
  };
  const homes: ReturnType<Parameters<typeof startHeartbeat>[0]['keeper']['homes']> = [];
  const daemon = {
    stuckMs: 0,
    killNow: async (why: string) => void told.push(`kill ${why}`) as never,
    note: () => undefined as never,
  };
  const actuator = { dropped: (why: string) => void told.push(`dropped ${why}`) };
  const once = () => {
    startHeartbeat({
      keeper,
      daemon,
      actuator,
      guardianMs: 600_000,
      stuckMs: 100,
      lost: (why) => void told.push(`lost ${why}`),
    }).stop();
    return told.splice(0);
  };
  t.deepEqual(once(), ['beat 600000']);
  daemon.stuckMs = 100;
  t.deepEqual(once(), [], 'a loop that is stuck is not alive');
  homes.push(
    { kind: 'home', cause: 'signal', why: 'SIGUSR1' },
    { kind: 'home', cause: 'kill-file', why: 'file' },
  );
  t.deepEqual(once(), ['kill SIGUSR1', 'kill file']);
  homes.push({ kind: 'home', cause: 'no-beat', why: 'its beats ended' });
  t.deepEqual(once(), ['dropped the guardian went home: its beats ended']);
  homes.push({ kind: 'home', cause: 'ends', why: 'SIGTERM' });
  t.deepEqual(once(), ['dropped the guardian went home: SIGTERM', 'lost SIGTERM']);
  keeper.gone = true;
  t.deepEqual(once(), ['dropped the guardian ended', 'lost the guardian ended']);
});
