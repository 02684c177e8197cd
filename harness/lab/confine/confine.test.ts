// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { runMachineProcess } from '../machine-process.ts';
import { confinement, type Reach } from './confine.ts';

const NEVER = new AbortController().signal;
/** What a shell needs to run; the emulator brings its own. */
const SHELL = ['/bin', '/lib', '/lib64', '/usr'];
const { as } = await confinement({});
const confinedTest = as === 'nobody' ? test.skip : test;

test('this host can confine machines, or says why not', async (t) => {
  const found = await confinement({});
  if (found.as === 'nobody') t.not(found.why, '');
  else t.is(found.as === 'the same user', process.getuid?.() !== 0);
  t.deepEqual(await confinement({ PMVX_CONFINE: 'no' }), { as: 'nobody', why: 'PMVX_CONFINE is no' });
});

interface Scene {
  readonly folder: string;
  readonly reach: Reach;
  /** Runs a shell script in the folder; its last words, and how it ended. */
  says(script: string): Promise<{ readonly said: string; readonly end: string | number }>;
}

async function scene(t: ExecutionContext): Promise<Scene> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-confine-')));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['image', 'trial', 'secret']) await mkdir(join(folder, name));
  for (const name of ['image/root.ext4', 'trial/plan', 'secret/key'])
    writeFileSync(join(folder, name), 'as it was');
  const cwd = join(folder, 'trial');
  const reach = { read: [...SHELL, join(folder, 'image'), cwd], write: [join(cwd, 'data')] };
  const says = async (script: string) => {
    const options = { cwd, deadlineMs: 300_000, signal: NEVER, reach };
    const { stderr, exitCode, signal } = await runMachineProcess(['/bin/sh', '-c', script], options);
    return { said: stderr, end: signal ?? exitCode ?? 'nothing' };
  };
  return { folder, reach, says };
}

confinedTest(
  "a confined machine writes the files that it was given, and they are the invoker's afterwards",
  async (t) => {
    const { folder, says } = await scene(t);
    t.deepEqual(await says('pwd >&2; echo told > data'), { said: join(folder, 'trial'), end: 0 });
    const data = join(folder, 'trial/data');
    t.is(readFileSync(data, 'utf8'), 'told\n');
    t.is(statSync(data).uid, process.getuid?.() ?? -1);
  },
);

confinedTest('nothing else can be written, made, removed, or even seen', async (t) => {
  const { folder, says } = await scene(t);
  const tries = [
    'echo x > plan',
    'echo x > new',
    'rm data',
    'mv data gone',
    'ln -s /etc/passwd link',
    `echo x > ${folder}/image/root.ext4`,
    `cat ${folder}/secret/key`,
    'cat /etc/passwd /etc/shadow',
    'cat /proc/1/environ',
    'ls /home /root /run /sys',
    'mount -t tmpfs none /tmp',
    'mknod node b 8 0',
  ];
  for (const each of tries) {
    const { end } = await says(`(${each}) 2>/dev/null`);
    t.true(end !== 0, `${each}: ${end}`);
  }
  t.is((await says('echo kept > /tmp/own && cat /tmp/own >&2')).said, 'kept');
  t.false(existsSync('/tmp/own'));
  for (const name of ['image/root.ext4', 'trial/plan', 'secret/key']) {
    t.is(readFileSync(join(folder, name), 'utf8'), 'as it was', name);
  }
});

confinedTest('there is no network, not even to this host', async (t) => {
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const connect = `perl -MIO::Socket::INET -e 'print STDERR IO::Socket::INET->new("127.0.0.1:${port}") ? "connected" : "refused"'`;
  t.is((await (await scene(t)).says(connect)).said, 'refused');
});

confinedTest('a machine that never stops talking ends, with the signal for that', async (t) => {
  const { folder, says } = await scene(t);
  t.is((await says('exec head -c 400000000 /dev/urandom > data')).end, 'SIGXFSZ');
  t.true(statSync(join(folder, 'trial/data')).size <= 2 ** 28);
});

confinedTest('a symbolic link in place of a file is not followed', async (t) => {
  const { folder, says } = await scene(t);
  symlinkSync(join(folder, 'secret/key'), join(folder, 'trial/data'));
  const { said, end } = await says('echo x > data');
  t.is(end, 126);
  t.regex(said, /^the machine cannot be confined: .*\/trial\/data: /);
  t.is(readFileSync(join(folder, 'secret/key'), 'utf8'), 'as it was');
});

confinedTest('a folder that is closed to others serves all the same', async (t) => {
  const { folder, says } = await scene(t);
  chmodSync(join(folder, 'image'), 0o700);
  const { said, end } = await says(
    `echo told > data; cat ${folder}/image/root.ext4 >&2; (echo x > plan) 2>/dev/null`,
  );
  t.is(said, 'as it was');
  t.not(end, 0);
  t.is(readFileSync(join(folder, 'trial/data'), 'utf8'), 'told\n');
});

const deviceTest = as !== 'nobody' && process.getuid?.() === 0 ? test : test.skip;

for (const [mode, owner, group, user] of [
  [0o600, 0, 0, 'root'],
  [0o660, 0, 0, 'root'],
  [0o660, 0, 12_345, 'another'],
  [0o666, 0, 0, 'another'],
] as const) {
  deviceTest(
    `a device of ${owner}:${group} with mode ${mode.toString(8)} is usable by a confined machine of root's`,
    async (t) => {
      const { folder, reach } = await scene(t);
      const device = join(folder, 'device');
      // Like /dev/zero.
      await execa('mknod', [device, 'c', '1', '5']);
      chownSync(device, owner, group);
      chmodSync(device, mode);
      const script = `perl -e 'open my $f, "+<", "${device}" or die "$!\\n"; read $f, my $b, 4; print STDERR length $b, $> ? " another" : " root", " ", $) =~ s/^\\d+ //r'`;
      const options = { cwd: join(folder, 'trial'), deadlineMs: 60_000, signal: NEVER };
      const { stderr } = await runMachineProcess(['/bin/sh', '-c', script], {
        ...options,
        reach: { ...reach, devices: [device] },
      });
      // Root that stays root has no rights of root's, and no groups of its own.
      const [length, who, groups] = stderr.split(' ');
      t.deepEqual({ length, who }, { length: '4', who: as === 'another user' ? user : 'root' }, stderr);
      if (user === 'another' && as === 'another user') t.is(groups, group === 0 ? groups : String(group));
      const { mode: after, uid } = statSync(device);
      t.deepEqual([after & 0o777, uid], [mode, owner]);
    },
  );
}

confinedTest('descriptors that the invoker has open are not open in the machine', async (t) => {
  const { folder, reach } = await scene(t);
  const script = `
    import { runMachineProcess } from '${join(import.meta.dirname, '../machine-process.ts')}';
    const options = { cwd: '${join(folder, 'trial')}', deadlineMs: 60_000, signal: new AbortController().signal, reach: ${JSON.stringify(reach)} };
    const look = 'for fd in 4 5 6 7 8 9; do (eval ": <&$fd") 2>/dev/null && echo $fd >&2; done; true';
    console.log((await runMachineProcess(['/bin/sh', '-c', look], options)).stderr);`;
  const open =
    'exec 4</etc/hostname 7</etc/passwd 9</etc/hostname; exec "$0" --no-warnings --input-type=module -e "$1"';
  t.is(execFileSync('bash', ['-c', open, process.execPath, script], { encoding: 'utf8' }).trim(), '');
});
