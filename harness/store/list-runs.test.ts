// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { formatRuns, listRuns } from './list-runs.ts';
import { createRun } from './run-folder.ts';
import { sampleCompleted, sampleDescription, sampleUnmeasured } from './sample-records.ts';

test('runs are listed with their progress, and one that cannot be read does not hide the others', async (t) => {
  const runs = mkdtempSync(join(tmpdir(), 'pmvx-list-'));
  t.teardown(() => rmSync(runs, { recursive: true, force: true }));
  const records = [sampleCompleted(), sampleUnmeasured()];
  const make = async (id: string, count: number) => {
    const run = await createRun(join(runs, id), sampleDescription(records, id));
    for (const record of records.slice(0, count)) await run.log.append(record);
    return run;
  };
  await (await make('whole', 2)).close();
  await (await make('halted', 1)).close();
  const live = await make('live', 0);
  mkdirSync(join(runs, 'empty'));
  t.deepEqual(formatRuns(await listRuns(runs)), [
    'run     engine  created (UTC)     progress  trials',
    'halted  mock    2026-01-02 03:04  stopped   1 of 2 (1 completed)',
    'live    mock    2026-01-02 03:04  running   0 of 2',
    'whole   mock    2026-01-02 03:04  complete  2 of 2 (1 completed, 1 refused)',
    `empty   -       -                 -         ${runs}/empty: not a run: provenance.json cannot be read. pmvx list runs shows what there is`,
  ]);
  await live.close();
});

test('no results folder means no runs, with a hint', async (t) => {
  t.deepEqual(formatRuns(await listRuns('/nonexistent/runs')), [
    'no runs yet: ./pmvx quickstart makes the first',
  ]);
});
