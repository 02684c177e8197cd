// SPDX-License-Identifier: Apache-2.0
import { userInfo } from 'node:os';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';

const PROGRAMS: Readonly<Record<string, string>> = {
  mmdebstrap: 'mmdebstrap',
  tar: 'tar',
  bash: 'bash',
  mount: 'mount',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  setsid: 'util-linux',
  flock: 'util-linux',
};

/** Programs that a build by this user starts, each with its Debian package. */
export function buildPrograms(): Readonly<Record<string, string>> {
  return process.getuid?.() === 0 ? PROGRAMS : { ...PROGRAMS, newuidmap: 'uidmap' };
}

/** Throws unless this machine has what a build needs, and this user may use it. */
export async function requireHost(): Promise<void> {
  for (const [program, debianPackage] of Object.entries(buildPrograms()))
    await requireProgram(program, debianPackage);
  if (process.getuid?.() !== 0) await requireNamespaces();
}

async function requireProgram(program: string, debianPackage: string): Promise<void> {
  const found = await execa({ reject: false })('sh', ['-c', 'command -v "$1"', 'sh', program]);
  if (!found.failed) return;
  throw new PmvxError(ExitCode.environment, {
    what: `${program} is not installed, and images are built with it`,
    next: `Run \`apt-get install ${debianPackage}\``,
  });
}

/** Without root, a build is root in a user namespace that maps the subordinate users of whoever builds. */
async function requireNamespaces(): Promise<void> {
  const { username } = userInfo();
  const mapOne = ['--user', '--map-root-user', '--mount'];
  // The simple way first: where no namespace may be made, the other leaves a process that waits for ever (util-linux 2.38).
  const small = await execa('unshare', [...mapOne, 'true'], { reject: false });
  if (small.failed) {
    throw new PmvxError(ExitCode.environment, {
      what: `${username} may make no user namespaces, which images are built in without root (${small.stderr.trim()})`,
      next: 'Build as root, or let users make them: `sysctl kernel.unprivileged_userns_clone=1` or, with AppArmor, `sysctl kernel.apparmor_restrict_unprivileged_userns=0`',
    });
  }
  const full = await execa('unshare', [...mapOne, '--map-auto', 'true'], { reject: false });
  if (!full.failed) return;
  throw new PmvxError(ExitCode.environment, {
    what: `${username} has no subordinate users, which images are built with without root (${full.stderr.trim()})`,
    next: `Build as root, or run \`usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}\` as root`,
  });
}
