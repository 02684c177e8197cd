// SPDX-License-Identifier: Apache-2.0
import { access, constants, type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { sealLine } from '../core/sealed-line.ts';
import type { TrialRecord } from '../core/trial.ts';
import { parseTrialRecord } from '../core/trial-record.ts';
import { syncFolder, writeAtomic } from './atomic-write.ts';
import type { DamagedLine, LogContents } from './log-lines.ts';
import type { PlannedRecords } from './planned-records.ts';
import { readLog } from './read-log.ts';
import { keptRecords } from './slim-record.ts';
import { storageFault } from './storage-fault.ts';

/**
 * The append-only record of a run. `append` resolves once its line is on disk (one write, one fsync); calls
 * made at the same time are written in the order of the calls. One writer a file: hold the run's lock.
 */
export class TrialLog {
  readonly path: string;
  /** What was found besides whole lines on opening, in words for the user. */
  readonly notices: readonly string[];
  readonly #handle: FileHandle;
  readonly #records: TrialRecord[];
  readonly #keep: (record: TrialRecord) => TrialRecord;
  readonly #known: Set<string>;
  readonly #planned: PlannedRecords | undefined;
  #bytes: number;
  #last: Promise<unknown> = Promise.resolve();
  #broken: unknown;

  private constructor(
    path: string,
    handle: FileHandle,
    contents: LogContents,
    {
      notices,
      keep,
      planned,
    }: Pick<TrialLog, 'notices'> & {
      readonly keep: (record: TrialRecord) => TrialRecord;
      readonly planned: PlannedRecords | undefined;
    },
  ) {
    this.path = path;
    this.notices = notices;
    this.#handle = handle;
    this.#keep = keep;
    this.#planned = planned;
    this.#records = [...contents.records];
    this.#known = new Set(contents.records.map((record) => record.trial));
    this.#bytes = contents.goodBytes;
  }

  /**
   * Opens or creates the log. A torn last line is moved to `<path>.torn-<n>`, lines that are not what was written to
   * `<path>.damaged-<n>`, and a notice says so: their trials are as if they had never been. A record that is not of the
   * plan, `planned`, is an error, in the log and in `append`.
   */
  static async open(path: string, planned?: PlannedRecords): Promise<TrialLog> {
    return TrialLog.#open(path, [], planned);
  }

  static async #open(path: string, found: readonly string[], planned?: PlannedRecords): Promise<TrialLog> {
    try {
      const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o644);
      try {
        await syncFolder(dirname(path));
        const keep = keptRecords();
        const contents = await readLog(path, {
          keep,
          damage: 'collect',
          ...(planned === undefined ? {} : { planned }),
        });
        if (contents.damaged.length > 0) {
          const mended = await setDamageAside(path, await handle.readFile(), contents.damaged);
          await handle.close();
          return await TrialLog.#open(path, [...found, mended], planned);
        }
        const torn = contents.torn === undefined ? [] : [await setTornAside(path, handle, contents)];
        const log = new TrialLog(path, handle, contents, { notices: [...found, ...torn], keep, planned });
        // The crash may have cut off just the line end: the record is whole and is kept.
        if (contents.lacksNewline) await log.#write(Buffer.from('\n'));
        return log;
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw storageFault(error, 'open the trial log', path);
    }
  }

  /** Every record on disk, in the order in which they were written, each without what `keptRecords` leaves there. */
  get records(): readonly TrialRecord[] {
    return this.#records;
  }

  /** Resolves when the record would survive a power cut. On an error the log is as before. */
  append(record: TrialRecord): Promise<void> {
    return this.appendAll([record]);
  }

  /** The same for several at once: one write and one fsync. A crash may keep the first of them only, each whole. */
  appendAll(records: readonly TrialRecord[]): Promise<void> {
    const done = this.#last.then(() => this.#append(records));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Waits for the appends under way, then closes the file. */
  async close(): Promise<void> {
    await this.#last;
    await this.#handle.close();
  }

  async #append(records: readonly TrialRecord[]): Promise<void> {
    const fresh = new Set<string>();
    for (const { trial } of records) {
      if (this.#known.has(trial) || fresh.has(trial)) {
        throw new PmvxError(ExitCode.failure, {
          where: this.path,
          what: `trial ${trial} is already recorded`,
          next: 'A trial has one record; start a new run to measure it again',
        });
      }
      fresh.add(trial);
    }
    const stranger = this.#planned && records.find((record) => this.#planned?.has(record) === false);
    if (this.#planned !== undefined && stranger !== undefined) {
      throw new PmvxError(ExitCode.failure, { where: this.path, ...this.#planned.faultOf(stranger) });
    }
    // What the reader would refuse would be lost to everybody, later.
    for (const record of records) {
      const read = parseTrialRecord(record);
      if (!('fault' in read)) continue;
      throw new PmvxError(ExitCode.failure, {
        where: this.path,
        what: `trial ${record.trial} cannot be recorded: ${read.fault}`,
        next: 'This is a fault of pmvx; please report it with the console of the trial',
      });
    }
    if (records.length === 0) return;
    await this.#write(Buffer.concat(records.map(sealLine)));
    for (const record of records) {
      this.#known.add(record.trial);
      this.#records.push(this.#keep(record));
    }
  }

  async #write(line: Buffer): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      const { bytesWritten } = await this.#handle.write(line);
      // A full disk may take the first part of a line only; the rest then fails with the reason.
      if (bytesWritten < line.length) await this.#handle.writeFile(line.subarray(bytesWritten));
      await this.#handle.sync();
      // An ext4 that an error has just turned read-only may answer fsync with success and write nothing.
      await access(this.path, constants.W_OK);
      this.#bytes += line.length;
    } catch (error) {
      const fault = storageFault(error, 'append to the trial log', this.path);
      await this.#handle.truncate(this.#bytes).catch(() => undefined);
      // After a failed fsync the kernel may have dropped the pages: what a later fsync says is worth nothing.
      this.#broken = fault;
      throw fault;
    }
  }
}

/** Takes lines that were changed out of the log, and keeps them in a file of their own. */
async function setDamageAside(path: string, bytes: Buffer, damaged: readonly DamagedLine[]): Promise<string> {
  const aside = await keepBytes(`${path}.damaged-`, Buffer.concat(damaged.map((each) => each.bytes)));
  await writeAtomic(path, without(bytes, damaged));
  const lines = damaged.map(({ line }) => line).join(', ');
  return damaged.length === 1
    ? `${path}: line ${lines} is not what was written (moved to ${aside}); its trial is measured again`
    : `${path}: lines ${lines} are not what was written (moved to ${aside}); their trials are measured again`;
}

function without(bytes: Buffer, damaged: readonly DamagedLine[]): Buffer {
  const good: Buffer[] = [];
  let from = 0;
  for (const { at, bytes: line } of damaged) {
    good.push(bytes.subarray(from, at));
    from = at + line.length;
  }
  return Buffer.concat([...good, bytes.subarray(from)]);
}

/** Keeps the torn bytes in a file of their own before they are cut off. */
async function setTornAside(path: string, handle: FileHandle, contents: LogContents): Promise<string> {
  const torn = contents.torn as Buffer;
  const aside = await keepBytes(`${path}.torn-`, torn);
  await handle.truncate(contents.goodBytes);
  await handle.sync();
  return `${path}: the last line was cut off (${torn.length} bytes, moved to ${aside}); ${contents.records.length} whole records kept`;
}

/** Bytes in a new file, on disk when this resolves: its path. */
async function keepBytes(prefix: string, bytes: Buffer): Promise<string> {
  const { path, handle } = await createNumbered(prefix);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(path));
  return path;
}

async function createNumbered(prefix: string): Promise<{ path: string; handle: FileHandle }> {
  for (let n = 1; ; n++) {
    try {
      return { path: `${prefix}${n}`, handle: await open(`${prefix}${n}`, 'wx', 0o644) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}
