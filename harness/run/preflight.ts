// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';

/** What a run needs to know of the place where its results go. */
export interface ResultsPlace {
  /** Makes the folder if need be and proves with a file that it can be written; rejects with the system's error. */
  probe(folder: string): Promise<void>;
  /** Bytes that may still be written there. */
  freeBytes(folder: string): Promise<number>;
  /** Memory that processes can get without swapping, MiB. */
  availableMiB(): Promise<number>;
}

/** Records, output and console of a trial, generously; measured ones are near 40 KiB. */
const BYTES_A_TRIAL = 256 * 1024;
/** Mailboxes and sockets of running VMs, the CSV and its temporary copy. */
const BYTES_A_JOB = 8 * 1024 * 1024;
const BYTES_A_RUN = 32 * 1024 * 1024;

/** Bytes that a run of this size asks for before it begins. */
export function bytesNeeded(trials: number, jobs: number): number {
  return BYTES_A_RUN + trials * BYTES_A_TRIAL + jobs * BYTES_A_JOB;
}

/** Memory of an emulated machine besides its guest's: translated code (`TRANSLATED_MIB` of the lab), QEMU itself. */
const MIB_A_MACHINE = 1024 + 64;

/** Machines that the host has room for at once: `cores` of them, fewer where memory is short, at least one. */
export async function machinesThatFit(cores: number, guestMiB: number, place: ResultsPlace): Promise<number> {
  const fitting = Math.floor((await place.availableMiB()) / (guestMiB + MIB_A_MACHINE));
  return Math.max(1, Math.min(cores, fitting));
}

/** Refuses to start more machines at once than memory holds: a guest that is swapped or killed measures nothing. */
export async function requireMemory(jobs: number, guestMiB: number, place: ResultsPlace): Promise<void> {
  const needed = jobs * (guestMiB + MIB_A_MACHINE);
  const available = await place.availableMiB();
  if (available >= needed) return;
  const fitting = Math.floor(available / (guestMiB + MIB_A_MACHINE));
  throw new PmvxError(ExitCode.environment, {
    what: `${jobs} machines of ${guestMiB} MiB at once need ${needed} MiB of memory, ${Math.floor(available)} MiB are available`,
    next:
      fitting > 0 ? `Use --jobs ${fitting}.` : 'Free some memory, or give machine.memory a smaller value.',
  });
}

/** Proves that results can be written to `folder`, so that an hour of trials does not end in an error. */
export async function preflight(
  folder: string,
  size: { readonly trials: number; readonly jobs: number },
  place: ResultsPlace,
): Promise<void> {
  try {
    await place.probe(folder);
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new PmvxError(
      ExitCode.environment,
      {
        where: folder,
        what: `results cannot be written here (${cause})`,
        next: 'Give a folder that can be written with --out DIR.',
      },
      { cause: error },
    );
  }
  const needed = bytesNeeded(size.trials, size.jobs);
  const free = await place.freeBytes(folder);
  if (free >= needed) return;
  throw new PmvxError(ExitCode.environment, {
    where: folder,
    what: `${size.trials} trials need ${mebibytes(needed)} MiB of disk, ${mebibytes(free)} MiB are free`,
    next: 'Free some space, or give a folder on another disk with --out DIR.',
  });
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 2 ** 20);
}
