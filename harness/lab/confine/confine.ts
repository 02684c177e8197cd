// SPDX-License-Identifier: Apache-2.0
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** All of the host that a machine's process can reach; everything else is not there for it. */
export interface Reach {
  /** Folders, with all below them, and files: to be read. */
  readonly read: readonly string[];
  /** Files that it writes; made when they are not there. It can make no others. */
  readonly write: readonly string[];
  /** Device nodes besides /dev/null and /dev/urandom. */
  readonly devices?: readonly string[];
}

/** How machines are confined on this host. */
export type Confinement =
  /** In namespaces of their own, as a user that nobody else is, as the invoker, or as root without its rights. */
  | { readonly as: 'another user' | 'the same user' | 'root without rights' }
  /** The host allows no namespaces: only the emulator's own filter of system calls is left. */
  | { readonly as: 'nobody'; readonly why: string };

const LAUNCHER = join(import.meta.dirname, 'launch.pl');

/** The emulator's own filter: system calls that an emulator without network and helpers never needs end it. */
export const SYSTEM_CALL_FILTER = [
  '-sandbox',
  'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
] as const;

let tried: Promise<Confinement> | undefined;

/** Tries it, once a process. PMVX_CONFINE=no leaves machines in the host's own namespaces. */
export function confinement(env: NodeJS.ProcessEnv = process.env): Promise<Confinement> {
  if (env.PMVX_CONFINE === 'no') return Promise.resolve({ as: 'nobody', why: 'PMVX_CONFINE is no' });
  tried ??= tryConfining();
  return tried;
}

async function tryConfining(): Promise<Confinement> {
  const { exitCode, stdout, stderr, shortMessage } = await execa('perl', [LAUNCHER], { reject: false });
  if (exitCode === 0) return { as: stdout.trim() as Exclude<Confinement['as'], 'nobody'> } as Confinement;
  return { as: 'nobody', why: stderr.trim().split('\n')[0] || shortMessage || 'perl ended without a word' };
}

/** `reach` where this host can hold a machine to it, undefined where it cannot. */
export async function heldTo(reach: Reach): Promise<Reach | undefined> {
  return (await confinement()).as === 'nobody' ? undefined : reach;
}

/** The same command, confined, for a process whose parent is `parent`. */
export function confinedCommand(
  parent: number,
  command: readonly string[],
  cwd: string,
  { read, write, devices = [] }: Reach,
): readonly string[] {
  const options = [
    ...read.flatMap((path) => ['--read', path]),
    ...write.flatMap((path) => ['--write', path]),
    ...devices.flatMap((path) => ['--device', path]),
  ];
  return ['perl', LAUNCHER, String(parent), ...options, '--cwd', cwd, '--', ...command];
}

/** Makes the invoker the owner of what a machine wrote, where another user was. */
export async function takeBack({ write }: Reach): Promise<void> {
  const [user, group] = [process.getuid?.(), process.getgid?.()];
  if (user !== 0 || group === undefined) return;
  for (const path of write) await chown(path, user, group).catch(() => undefined);
}
