// SPDX-License-Identifier: Apache-2.0
import type { DatabaseSync } from 'node:sqlite';
import type { PolicyMapReader } from '../policy-map.ts';
import { cellFaults, evidenceFaults, situationName, summaryFaults, trialName } from '../store/verify.ts';
import { type PolicySummary, unpackSummaries } from '../summary.ts';
import { vectorFromBytes } from '../vector.ts';
import { type CellColumns, cellOf } from './reader.ts';

/** SQLite's own checks of the file, then ours of what is derived. */
export async function verifySqlite(db: DatabaseSync, map: PolicyMapReader): Promise<string[]> {
  const faults: string[] = [];
  for (const row of db.prepare('pragma integrity_check').all()) {
    if (row.integrity_check !== 'ok') faults.push(String(row.integrity_check));
  }
  for (const row of db.prepare('pragma foreign_key_check').all()) {
    faults.push(`table ${row.table}: a row refers to a row of ${row.parent} that does not exist`);
  }
  // What follows reads the rows, which a damaged file may not let.
  if (faults.length > 0) return faults;
  const names = new Map(
    db
      .prepare('select id, name from policy')
      .all()
      .map((row) => [row.id, row.name as string]),
  );
  const stored = new Map<string, readonly PolicySummary[]>();
  const situations = db.prepare(
    'select identity, workload, variant, point, summary from situation join machine on machine.id = machine',
  );
  for (const row of situations.iterate()) {
    const summaries = unpackSummaries(row.summary as Uint8Array, (id) => names.get(id) ?? '?');
    if (summaries.length > 0) stored.set(situationName(row.identity as string, row as never), summaries);
  }
  faults.push(...(await summaryFaults(map, stored)), ...(await evidenceFaults(map, digestsOf(db))));
  const members = db.prepare('select vector from observation where cell = ?');
  for (const row of db.prepare('select id, machine, leader, radius, size from cell').all()) {
    const vectors = members.all(row.id as number).map(({ vector }) => vectorFromBytes(vector as Uint8Array));
    faults.push(...cellFaults(cellOf(row as unknown as CellColumns), vectors));
  }
  return faults;
}

function digestsOf(db: DatabaseSync): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name, digest } of db.prepare('select name, digest from run').iterate()) {
    found.set(`run ${name}`, digest as string);
  }
  const trials = db.prepare(
    `select name, trial, null as "window", outcome.digest from outcome join run on run.id = run
     union all
     select name, trial, "window", observation.digest from observation join run on run.id = run`,
  );
  for (const { name, trial, window, digest } of trials.iterate()) {
    const of = window === null ? undefined : (window as number);
    found.set(trialName(name as string, trial as string, of), digest as string);
  }
  return found;
}
