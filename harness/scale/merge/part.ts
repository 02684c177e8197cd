// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { requireUnbroken } from '../../store/checks.ts';
import type { LinePlace } from '../../store/log-lines.ts';
import { type Nodes, readNodes } from '../../store/nodes.ts';
import { trialKey } from '../../store/planned-records.ts';
import { readLog } from '../../store/read-log.ts';
import { type RunDescription, readDescription } from '../../store/run-description.ts';
import { plannedOf, RUN_FILES } from '../../store/run-folder.ts';

/** A record of a part: where it is, and as little of it as deciding needs. */
export interface PartRecord extends LinePlace {
  /** Of `trialKey`: the same in every run that plans this trial. */
  readonly key: string;
  /** Number of the trial in its own run, which names its consoles. */
  readonly trial: string;
}

/** A run that is put together with others, or a part of one. Its log stays where it is. */
export interface Part extends RunDescription {
  readonly folder: string;
  readonly nodes: Nodes;
  readonly records: readonly PartRecord[];
  /** What was odd about it, in words for the user. */
  readonly notices: readonly string[];
}

/** Reads the run in `folder`, also one in progress. */
export async function readPart(folder: string): Promise<Part> {
  const { notices, ...described } = await readDescription(folder);
  await requireUnbroken(folder);
  const path = join(folder, RUN_FILES.log);
  const { records, torn } = await readLog(path, {
    planned: plannedOf(folder, described.plan),
    keep: (record, place): PartRecord => ({ key: trialKey(record), trial: record.trial, ...place }),
  });
  const left =
    torn === undefined
      ? []
      : [`${path}: the last line is incomplete and was left out (${torn.length} bytes)`];
  return { folder, ...described, nodes: await readNodes(folder), records, notices: [...notices, ...left] };
}
