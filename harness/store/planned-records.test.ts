// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { PmvxError } from '../core/errors.ts';
import { sealLine } from '../core/sealed-line.ts';
import type { TrialRecord } from '../core/trial.ts';
import { readPart } from '../scale/merge/part.ts';
import { createRun, openRun, readRun } from './run-folder.ts';
import { sampleCompleted, sampleDescription, sampleUnmeasured } from './sample-records.ts';

const RECORDS = [
  sampleCompleted({ trial: '0000' }),
  sampleUnmeasured({ trial: '0001' }),
  sampleCompleted({ trial: '0002', block: 1, seed: 8 }),
];

/** A run of which the first `recorded` trials are recorded, and then what is no record of its plan. */
async function runWith(
  t: ExecutionContext,
  { recorded, strangers }: { readonly recorded: number; readonly strangers: readonly TrialRecord[] },
): Promise<{ readonly folder: string; readonly log: string }> {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-planned-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'sample');
  const run = await createRun(folder, sampleDescription(RECORDS));
  await run.log.appendAll(RECORDS.slice(0, recorded));
  await run.close();
  const log = join(folder, 'trials.jsonl');
  for (const record of strangers) appendFileSync(log, sealLine(record));
  return { folder, log };
}

/** Reading, resuming and merging refuse the run with one and the same message. */
async function refusalOf(t: ExecutionContext, folder: string): Promise<string> {
  const errors = [
    await t.throwsAsync(readRun(folder), { instanceOf: PmvxError }),
    await t.throwsAsync(openRun(folder), { instanceOf: PmvxError }),
    await t.throwsAsync(readPart(folder), { instanceOf: PmvxError }),
  ];
  t.deepEqual(new Set(errors.map((error) => error.message)).size, 1);
  return errors[0]?.message ?? '';
}

test('a second record of a cell under another number is refused, and both places are named', async (t) => {
  const again = sampleCompleted({ trial: '9002', block: 1, seed: 8 });
  const { folder, log } = await runWith(t, { recorded: 3, strangers: [again] });
  t.is(
    await refusalOf(t, folder),
    `${log}:4: trial 9002 is hackbench default under eevdf in block 1 once more: by ${folder}/plan.json that is trial 0002, which is recorded on ${log}:3. Remove the record that is not of this run: which of two results counts cannot be chosen afterwards`,
  );
});

test('the places are named whichever of the two records comes first', async (t) => {
  const again = sampleCompleted({ trial: '9002', block: 1, seed: 8 });
  const { folder, log } = await runWith(t, { recorded: 2, strangers: [again, ...RECORDS.slice(2)] });
  t.regex(await refusalOf(t, folder), new RegExp(`^${log}:3: trial 9002 .*recorded on ${log}:4\\. `));
});

test('a second record of a trial under its own number is refused, and both places are named', async (t) => {
  const { folder, log } = await runWith(t, { recorded: 3, strangers: [sampleCompleted()] });
  t.regex(
    await refusalOf(t, folder),
    new RegExp(`^${log}:4: trial 0000 is already recorded on ${log}:1\\. `),
  );
});

test('a record of a cell that nobody planned is refused', async (t) => {
  const ghost = sampleCompleted({ trial: '0007', policy: 'ghost' });
  const { folder, log } = await runWith(t, { recorded: 3, strangers: [ghost] });
  t.is(
    await refusalOf(t, folder),
    `${log}:4: trial 0007 (hackbench default under ghost in block 0) is not in ${folder}/plan.json. Remove the line: it is of another run. Runs of one spec are put together by pmvx merge`,
  );
});

test('a record that differs from its plan is refused with what it says and what was planned', async (t) => {
  for (const [over, words] of [
    [{ seed: 9 }, 'seed 9, planned 8'],
    [{ block: 2 }, 'block 2, planned 1'],
    [{ policy: 'ghost', seed: 9 }, 'seed 9, planned 8; policy ghost, planned eevdf'],
    [{ role: 'aa' }, 'role aa, planned measure'],
    [{ point: 'warm' }, 'point warm, planned quiescent'],
    [{ variant: 'groups=2' }, 'variant groups=2, planned default'],
  ] as const) {
    const other = sampleCompleted({ trial: '0002', block: 1, seed: 8, ...over });
    const { folder, log } = await runWith(t, { recorded: 2, strangers: [other] });
    t.is(
      await refusalOf(t, folder),
      `${log}:3: trial 0002 is not the one of ${folder}/plan.json: ${words}. Remove the line, and resume the run to measure the trial again`,
    );
  }
});

test('of many strangers the first are told, and how many more there are', async (t) => {
  const strangers = [...'abcdefg'].map((policy) => sampleCompleted({ trial: `1-${policy}`, policy }));
  const { folder, log } = await runWith(t, { recorded: 3, strangers });
  const lines = (await refusalOf(t, folder)).split('\n');
  t.is(lines.length, 6);
  t.is(lines.at(-1), `${log}: 2 more records are not of the plan`);
});

test('the writer refuses a record that its plan does not have, and writes nothing', async (t) => {
  const { folder, log } = await runWith(t, { recorded: 1, strangers: [] });
  const before = readFileSync(log, 'utf8');
  const run = await openRun(folder);
  const fresh = sampleCompleted({ trial: '0002', block: 1, seed: 8 });
  await t.throwsAsync(run.log.appendAll([fresh, sampleCompleted({ trial: '0001', policy: 'ghost' })]), {
    message: /: trial 0001 is not the one of .*plan\.json: policy ghost, planned scx_qmap\. /,
  });
  await run.close();
  t.is(readFileSync(log, 'utf8'), before);
});

test('a plan with two trials of one number, or of one cell, is none', async (t) => {
  const { folder } = await runWith(t, { recorded: 0, strangers: [] });
  rmSync(join(folder, 'sums.json'));
  const path = join(folder, 'plan.json');
  const { trials } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ trials: [...trials, { ...trials[2], trial: '0009', seed: 9 }] }));
  await t.throwsAsync(readRun(folder), {
    message: `${path}: trials[2] (0002) and trials[3] (0009) are both hackbench default under eevdf in block 1. Restore the file from a copy, or start the run anew`,
  });
  writeFileSync(path, JSON.stringify({ trials: [...trials, { ...trials[2], trial: '0000', block: 7 }] }));
  await t.throwsAsync(readRun(folder), {
    message: /trials\[0\] \(0000\) and trials\[3\] \(0000\) are both trial 0000\. /,
  });
});
