// SPDX-License-Identifier: Apache-2.0
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { load } from 'sqlite-vec';
import { ExitCode, PmvxError } from '../../../harness/core/errors.ts';
import type { MapKind } from '../policy-map.ts';
import { requireKind } from '../store/require-kind.ts';
import { sqliteFault } from './faults.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

/** How long a writer waits for another, in milliseconds. */
export const WAIT_MS = 5000;

export interface OpenDatabase {
  readonly db: DatabaseSync;
  readonly kind: MapKind;
}

export interface ReadOptions {
  /** Reads by memory mapping, which is faster; but a file that somebody truncates meanwhile ends the process (SIGBUS). */
  readonly mapped?: boolean;
}

/** Opens a map that exists; its schema must be of this version. */
export function openToRead(path: string, { mapped = true }: ReadOptions = {}): OpenDatabase {
  requireMapFile(path);
  return guarded(
    path,
    (db) => {
      if (!mapped) db.exec('pragma mmap_size = 0');
      checkVersion(db, path, false);
      return readKind(db);
    },
    { readOnly: true },
  );
}

/**
 * Opens a map to write, and makes it when there is none; an older schema is brought up to date.
 * With `kind`, the map must be of it.
 */
export function openToWrite(path: string, kind: MapKind | undefined, waitMs = WAIT_MS): OpenDatabase {
  const fresh = !existsSync(path) || statSync(path).size === 0;
  if (fresh && kind === undefined) throw noSuchMap(path);
  if (!fresh) requireMapFile(path);
  else if (!existsSync(dirname(resolve(path)))) {
    throw new PmvxError(ExitCode.usage, {
      where: path,
      what: 'the folder of the map does not exist',
      next: 'Make it, or check the path',
    });
  }
  return guarded(
    path,
    (db) => {
      // Before anything is written: an unmarked database with tables is somebody else's.
      if (applicationId(db) === 0 && hasTables(db))
        throw noMap(path, 'it is the database of another program');
      db.exec('pragma journal_mode = wal; pragma synchronous = full');
      // One writer makes or migrates the map; a second one waits here, and finds it done.
      db.exec('begin immediate');
      if (applicationId(db) === 0 && kind !== undefined) create(db, kind);
      checkVersion(db, path, true);
      migrate(db);
      db.exec('commit');
      const known = readKind(db);
      if (kind !== undefined) requireKind(path, known, kind);
      return known;
    },
    { waitMs },
  );
}

function guarded(
  path: string,
  prepare: (db: DatabaseSync) => MapKind,
  { waitMs = WAIT_MS, readOnly = false } = {},
): OpenDatabase {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, {
      allowExtension: true,
      timeout: waitMs,
      enableForeignKeyConstraints: true,
      readOnly,
    });
    load(db);
    // What is in the file must not be able to load more.
    db.enableLoadExtension(false);
    db.exec('pragma trusted_schema = off; pragma mmap_size = 1073741824; pragma cache_size = -32768');
    return { db, kind: prepare(db) };
  } catch (error) {
    db?.close();
    throw sqliteFault(error, path);
  }
}

function create(db: DatabaseSync, kind: MapKind): void {
  db.exec(`pragma application_id = ${APPLICATION_ID}`);
  migrate(db);
  const insert = db.prepare('insert into setting (name, value) values (?, ?)');
  insert.run('features', kind.features);
  insert.run('dimensions', String(kind.dimensions));
}

function migrate(db: DatabaseSync): void {
  for (let version = userVersion(db); version < MIGRATIONS.length; version++) {
    db.exec(`${MIGRATIONS[version]}; pragma user_version = ${version + 1}`);
  }
}

function checkVersion(db: DatabaseSync, path: string, migrating: boolean): void {
  if (applicationId(db) !== APPLICATION_ID) {
    // A writer that died before the first commit leaves a database with nothing in it: the map was not made.
    throw hasTables(db) ? noMap(path, 'it is the database of another program') : noSuchMap(path);
  }
  const version = userVersion(db);
  const ours = MIGRATIONS.length;
  if (version > ours) {
    throw new PmvxError(ExitCode.usage, {
      where: path,
      what: `the map has schema version ${version}, and this pmvx knows ${ours}`,
      next: 'Use the pmvx that wrote it, or export it there and import it here',
    });
  }
  if (version < ours && !migrating) {
    throw new PmvxError(ExitCode.usage, {
      where: path,
      what: `the map has the older schema version ${version}; this pmvx reads ${ours}`,
      next: 'pmvx map check brings it up to date',
    });
  }
}

function hasTables(db: DatabaseSync): boolean {
  return db.prepare('select 1 from sqlite_master limit 1').get() !== undefined;
}

function readKind(db: DatabaseSync): MapKind {
  const setting = db.prepare('select value from setting where name = ?');
  const value = (name: string) => (setting.get(name) as { value: string } | undefined)?.value;
  return { features: value('features') ?? '', dimensions: Number(value('dimensions')) };
}

function applicationId(db: DatabaseSync): number {
  return (db.prepare('pragma application_id').get() as { application_id: number }).application_id;
}

export function userVersion(db: DatabaseSync): number {
  return (db.prepare('pragma user_version').get() as { user_version: number }).user_version;
}

const MAGIC = 'SQLite format 3\0';

/** SQLite itself would take an empty or missing file for a new database, and says little about a strange one. */
function requireMapFile(path: string): void {
  if (!existsSync(path)) throw noSuchMap(path);
  if (!statSync(path).isFile()) throw noMap(path, 'it is not a file');
  const head = Buffer.alloc(72);
  let length: number;
  try {
    const file = openSync(path, 'r');
    length = readSync(file, head, 0, head.length, 0);
    closeSync(file);
  } catch (error) {
    throw sqliteFault(error, path);
  }
  if (length === 0) throw noSuchMap(path);
  if (head.toString('latin1', 0, MAGIC.length) !== MAGIC) throw noMap(path, 'it is no SQLite database');
  // Offset 68 of the header; 0 when the map is being made and still in the write-ahead log.
  const id = length < 72 ? -1 : head.readUInt32BE(68);
  if (id !== APPLICATION_ID && id !== 0) throw noMap(path, 'it is the database of another program');
}

function noSuchMap(path: string): PmvxError {
  return new PmvxError(ExitCode.usage, {
    where: path,
    what: 'there is no such map',
    next: 'pmvx learn RUN --map FILE makes one',
  });
}

function noMap(path: string, why: string): PmvxError {
  return new PmvxError(ExitCode.usage, {
    where: path,
    what: `not a policy map: ${why}`,
    next: 'pmvx learn RUN --map FILE makes a new map; nothing was changed',
  });
}
