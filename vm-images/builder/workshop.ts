// SPDX-License-Identifier: Apache-2.0
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { ProcessOutput, type Shell, $ as zx } from 'zx';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';

/** Where an image is made: a scratch folder of its own, a log, and the folders that builds share. */
export interface Workshop {
  /** Holds `roots` and `images`; shared by all builds of this user. */
  readonly cache: string;
  /** This build's own; on the same file system as `cache`, removed at the end. */
  readonly scratch: string;
  readonly logPath: string;
  say(line: string): void;
  /** Runs shell steps; a failure becomes one error that names the step and quotes the log's end. */
  step(name: string, body: ($: Shell) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

const SCRATCH = /^building-(\d+)-[0-9a-f]+$/;
/** Both roots, the image and its parts, measured at 3.4 GiB, and room for a second guest root. */
const BYTES_NEEDED = 5 * 2 ** 30;

/** Opens a workshop; removes what builds that died left behind. */
export async function openWorkshop(given: {
  readonly root: string;
  readonly cache: string;
  readonly recipe: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<Workshop> {
  const { cache } = given;
  await mkdir(join(cache, 'logs'), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw unwritable(cache, error);
  });
  await removeAbandoned(cache);
  await requireSpace(cache);
  const scratch = join(cache, `building-${process.pid}-${randomBytes(4).toString('hex')}`);
  await mkdir(scratch).catch((error: NodeJS.ErrnoException) => {
    throw unwritable(cache, error);
  });
  const stamp = new Date().toISOString().replace(/[-:]|\..*/g, '');
  const logPath = join(cache, 'logs', `${given.recipe}-${stamp}-${process.pid}.log`);
  const log = createWriteStream(logPath);
  const shell = zx({
    quiet: true,
    verbose: false,
    signal: given.signal,
    spawn: boundSpawn(),
    env: {
      ...process.env,
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
    scratch,
    logPath,
    say: given.say,
    async step(name, body) {
      try {
        await body(shell);
      } catch (error) {
        given.signal.throwIfAborted();
        throw error instanceof ProcessOutput ? stepFault(name, error, logPath) : error;
      }
    },
    async close() {
      await rm(scratch, { recursive: true, force: true });
      log.end();
      await finished(log);
    },
  };
}

/**
 * Starts shells that die with this process, also when it is killed outright. As root they get a process namespace of their
 * own, so that everything below them dies too; without root a running apt may finish what it is at.
 */
function boundSpawn(): typeof spawn {
  const namespace = ['unshare', '--pid', '--fork', '--kill-child=KILL'];
  const nested =
    process.getuid?.() === 0 &&
    spawnSync(namespace[0] as string, [...namespace.slice(1), 'true']).status === 0;
  const bound = (command: string, _args: readonly string[], options: SpawnOptions) =>
    spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', ...(nested ? namespace : []), String(options.shell), '-c', command],
      { ...options, shell: false },
    );
  return bound as typeof spawn;
}

/** What a failed step says about its cause, as far as its words tell. */
export function stepFault(
  name: string,
  output: Pick<ProcessOutput, 'stdout' | 'stderr' | 'exitCode'>,
  logPath: string,
): PmvxError {
  const words = (output.stderr.trim() || output.stdout.trim()).split('\n').slice(-8).join('\n');
  const log = `The whole log is ${logPath}`;
  if (/No space left on device/.test(output.stderr)) {
    return new PmvxError(ExitCode.environment, {
      what: `${name}: the disk is full`,
      next: `Free some space, or set PMVX_CACHE to a folder on another disk. ${log}`,
    });
  }
  if (
    /Temporary failure resolving|Could not resolve|Could not connect|Network is unreachable|Connection (timed out|refused)|Failed to fetch/.test(
      output.stderr,
    )
  ) {
    return new PmvxError(ExitCode.environment, {
      what: `${name}: the Debian archive cannot be reached`,
      next: `Check the network and the sources of apt (\`apt-get update\` must work), then run this again. ${log}`,
    });
  }
  return new PmvxError(ExitCode.image, {
    what: `${name} failed with exit code ${output.exitCode}:\n${words}`,
    next: log,
  });
}

async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const pid = SCRATCH.exec(name)?.[1];
    if (pid === undefined || (await isNode(pid))) continue;
    await rm(join(cache, name), { recursive: true, force: true });
  }
}

/** Whether process `pid` lives and could be a builder: a process id that was given to another program does not count. */
async function isNode(pid: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes('harness/cli.ts') || command.includes('ava');
}

async function requireSpace(cache: string): Promise<void> {
  const { bavail, bsize } = await statfs(cache);
  const free = bavail * bsize;
  if (free >= BYTES_NEEDED) return;
  throw new PmvxError(ExitCode.environment, {
    where: cache,
    what: `building an image takes ${BYTES_NEEDED / 2 ** 30} GiB of disk, ${(free / 2 ** 30).toFixed(1)} GiB are free`,
    next: 'Free some space, or set PMVX_CACHE to a folder on another disk',
  });
}

function unwritable(path: string, error: NodeJS.ErrnoException): PmvxError {
  return new PmvxError(ExitCode.environment, {
    where: path,
    what: `images cannot be kept here (${error.code})`,
    next: 'Set PMVX_CACHE to a folder that can be written',
  });
}
