// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ExitCode } from '../../harness/core/errors.ts';
import { fileFault, stepFault } from './step-fault.ts';

const LOG = 'The whole log is /c/logs/a.log';
const CHECK = `Check the network and the sources of apt (\`apt-get update\` must work), then run this again. ${LOG}`;
const FREE = `Free some space, or set PMVX_CACHE to a folder on another disk. ${LOG}`;

function faultOf(stderr: string, exitCode: number | null = 25) {
  return stepFault('guest root', { stdout: '', stderr, exitCode, signal: null }, '/c/logs/a.log');
}

/** The last lines of real failures of mmdebstrap 1.3.5, tar 1.34 and apt 2.6 are told below as they were. */
const END = `E: apt-get update --error-on=any -oAPT::Status-Fd=<$fd> -oDpkg::Use-Pty=false failed
I: main() received signal PIPE: waiting for setup...
I: removing tempdir /tmp/mmdebstrap.Zd7G9yx5sS...
E: mmdebstrap failed to run
`;

test('without a network, the archive cannot be reached, in the words of apt', (t) => {
  const error = faultOf(`Err:1 http://deb.debian.org/debian trixie InRelease
  Temporary failure resolving 'deb.debian.org'
Reading package lists...
E: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease  Temporary failure resolving 'deb.debian.org'
E: Some index files failed to download. They have been ignored, or old ones used instead.
${END}`);
  t.is(error.code, ExitCode.environment);
  t.is(
    error.message,
    `guest root: the Debian archive cannot be reached (Temporary failure resolving 'deb.debian.org'). ${CHECK}`,
  );
});

test('a proxy that does not answer is named', (t) => {
  const error = faultOf(`  Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)
Reading package lists...
E: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease  Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)
${END}`);
  t.is(error.code, ExitCode.environment);
  t.is(
    error.message,
    `guest root: the Debian archive cannot be reached (Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)). ${CHECK}`,
  );
});

test('a mirror without Debian is named', (t) => {
  const error = faultOf(`Reading package lists...
E: Failed to fetch http://deb.debian.org/nodebian/dists/trixie/InRelease  400  Bad Request [IP: 203.0.113.80 80]
E: The repository 'http://deb.debian.org/nodebian trixie InRelease' is not signed.
${END}`);
  t.is(error.code, ExitCode.environment);
  t.regex(error.message, /cannot be reached \(Failed to fetch http:\/\/deb\.debian\.org\/nodebian\/dists/);
});

for (const [who, words] of [
  ['apt', 'E: Write error - write (28: No space left on device)\nE: IO Error saving source cache'],
  [
    'tar',
    'tar: ./usr/share/man/man8/chroot.8.gz: Cannot write: No space left on device\ntar: Exiting with failure status due to previous errors\nE: tar --extract failed: 512',
  ],
  [
    'dpkg',
    " cannot copy extracted data for './usr/lib/x86_64-linux-gnu/libclang-19.so.19' to '/usr/lib/x86_64-linux-gnu/libclang-19.so.19.dpkg-new': failed to write (No space left on device)",
  ],
  [
    'mmdebstrap',
    'I: creating tarball...\nW: creating tarball failed: E: cannot copy to /tmp/cap/t/a.tar: No space left on device\n\nI: main() received signal HUP: waiting for setup...',
  ],
]) {
  test(`a disk that is full in mid-build is told as such when ${who} says so`, (t) => {
    const error = faultOf(`${words}\n${END}`);
    t.is(error.code, ExitCode.environment);
    t.is(error.message, `guest root: the disk is full. ${FREE}`);
  });
}

test('a package that the archive does not have is quoted, without the talk about the end', (t) => {
  const error = faultOf(`Reading package lists...
Building dependency tree...
E: Unable to locate package no-such-package
I: main() received signal PIPE: waiting for setup...
I: removing tempdir /tmp/mmdebstrap.pKUJFzoQWb...
E: mmdebstrap failed to run
`);
  t.is(error.code, ExitCode.image);
  t.is(
    error.message,
    `guest root failed with exit code 25:\nReading package lists...\nBuilding dependency tree...\nE: Unable to locate package no-such-package. ${LOG}`,
  );
});

test('a step that was killed names the signal', (t) => {
  const error = stepFault(
    'compile',
    { stdout: '', stderr: '', exitCode: null, signal: 'SIGKILL' },
    '/c/logs/a.log',
  );
  t.is(error.message, `compile was ended by SIGKILL. ${LOG}`);
});

test('errors of the file system name the path and what to do; others stay what they are', (t) => {
  const errno = (code: string, path?: string) => Object.assign(new Error(code), { code, path });
  t.like(fileFault(errno('ENOSPC', '/c/x'), '/c'), {
    message:
      '/c/x: the disk is full (ENOSPC). Free some space, or set PMVX_CACHE to a folder on another disk',
    code: ExitCode.environment,
  });
  t.like(fileFault(errno('EROFS'), '/c'), {
    message: '/c: images cannot be kept here (EROFS). Set PMVX_CACHE to a folder that can be written',
    code: ExitCode.environment,
  });
  const other = errno('EMFILE');
  t.is(fileFault(other, '/c'), other);
});
