// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where the host's own apt fetches Debian from, and how it goes there. */
export interface DebianSource {
  readonly uri: string;
  readonly keyring: string;
  /** Options of the host's apt that decide how it reaches the network: proxies, retries, certificates. */
  readonly aptOptions: readonly string[];
}

/** Asks the host's apt; nothing is downloaded. */
export async function hostDebian(): Promise<DebianSource> {
  const targets = await execa({ reject: false })('apt-get', [
    'indextargets',
    '--no-release-info',
    '--format',
    '$(REPO_URI) $(RELEASE)',
    'Created-By: Packages',
  ]);
  const uri = debianUri(targets.failed ? '' : targets.stdout);
  if (uri === undefined) {
    throw new PmvxError(ExitCode.environment, {
      what: "this host's apt has no Debian archive among its sources",
      next: 'Images are built from the sources that apt uses here: add a Debian mirror to /etc/apt/sources.list.d',
    });
  }
  if (!existsSync(KEYRING)) {
    throw new PmvxError(ExitCode.environment, {
      where: KEYRING,
      what: "Debian's signing keys are not installed",
      next: 'Run `apt-get install debian-archive-keyring`',
    });
  }
  const config = await execa({ reject: false })('apt-config', ['dump']);
  return { uri, keyring: KEYRING, aptOptions: networkOptions(config.failed ? '' : config.stdout) };
}

/** The first archive of the lines `URI RELEASE` that holds a Debian release itself, not its security updates. */
export function debianUri(lines: string): string | undefined {
  for (const line of lines.split('\n')) {
    const [uri, release] = line.trim().split(' ');
    if (uri === undefined || release === undefined) continue;
    if (/^(bookworm|trixie|stable|testing|unstable|sid|oldstable)$/.test(release)) return uri;
  }
  return undefined;
}

/** Of `apt-config dump`, the lines about reaching an archive over HTTP. */
export function networkOptions(dump: string): string[] {
  return dump
    .split('\n')
    .filter((line) => /^Acquire::(https?::|Retries|ForceIPv)/.test(line) && !/ "";$/.test(line));
}
