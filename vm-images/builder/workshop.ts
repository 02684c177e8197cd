// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ProcessOutput, type Shell, $ as zx } from 'zx';
import { boundSpawn } from './bound-spawn.ts';
import { openScratch } from './scratch.ts';
import { stepFault } from './step-fault.ts';

/** Where an image is made: scratch folders of its own, a log, and the folders that builds share. */
export interface Workshop {
  /** Holds `roots` and `images`; shared by all builds of this user. */
  readonly cache: string;
  /** This build's own; on the same file system as `cache`, removed at the end. */
  readonly scratch: string;
  /** This build's own; where mmdebstrap installs, removed at the end. */
  readonly unpack: string;
  readonly logPath: string;
  say(line: string): void;
  /** Runs shell steps; a failure becomes one error that names the step and quotes the log's end. */
  step(name: string, body: ($: Shell) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Opens a workshop in `cache`, whose build lock the caller holds; removes what builds that died left behind. */
export async function openWorkshop(given: {
  readonly root: string;
  readonly cache: string;
  readonly recipe: string;
  readonly bytesNeeded: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<Workshop> {
  const { cache } = given;
  const scratch = await openScratch(cache, given.bytesNeeded);
  await mkdir(join(cache, 'logs'), { recursive: true });
  const stamp = new Date().toISOString().replace(/[-:]|\..*/g, '');
  const logPath = join(cache, 'logs', `${given.recipe}-${stamp}-${process.pid}.log`);
  const log = createWriteStream(logPath);
  const logEnded = new Promise<void>((resolve) => log.on('close', resolve));
  // A full disk ends the step that filled it, with better words than the log's.
  log.on('error', () => {});
  const shell = zx({
    quiet: true,
    verbose: false,
    signal: given.signal,
    spawn: boundSpawn(),
    env: {
      ...process.env,
      // An ordinary user's PATH lacks chroot.
      PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
      // No initramfs of Debian's is wanted: the image has its own.
      INITRD: 'No',
      PMVX_PACKAGES_HOOK: join(given.root, 'vm-images/builder/packages.sh'),
    },
    log: (entry) => {
      if (entry.kind === 'cmd') log.write(`$ ${entry.cmd}\n`);
      else if (entry.kind === 'stdout' || entry.kind === 'stderr') log.write(entry.data);
    },
  });
  return {
    cache,
    scratch: scratch.folder,
    unpack: scratch.unpack,
    logPath,
    say: given.say,
    async step(name, body) {
      given.signal.throwIfAborted();
      try {
        await body(shell);
      } catch (error) {
        given.signal.throwIfAborted();
        throw error instanceof ProcessOutput ? stepFault(name, error, logPath) : error;
      }
    },
    async close() {
      await scratch.remove();
      log.end();
      await logEnded;
    },
  };
}
