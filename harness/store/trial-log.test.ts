// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { PmvxError } from '../core/errors.ts';
import { sealLine } from '../core/sealed-line.ts';
import type { TrialRecord } from '../core/trial.ts';
import { parseTrialRecord } from '../core/trial-record.ts';
import { parseLog } from './log-lines.ts';
import { readLog } from './read-log.ts';
import { sampleCompleted, sampleUnmeasured } from './sample-records.ts';
import { TrialLog } from './trial-log.ts';

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-log-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function line(trial: string): string {
  return sealLine(sampleCompleted({ trial })).toString();
}

test('records come back as written and in the order of the calls, also when calls overlap', async (t) => {
  const path = join(scratch(t), 'trials.jsonl');
  const log = await TrialLog.open(path);
  const written: (TrialRecord & { readonly detail?: string })[] = [
    sampleCompleted({ trial: '0003', output: 'ä "quoted"\n\u0000' }),
    sampleUnmeasured({ trial: '0001', schedulerExit: { kind: 1026, reason: 'stall' } }),
    sampleCompleted({ trial: '0002' }),
  ];
  await Promise.all(written.map((record) => log.append(record)));
  await log.close();
  t.deepEqual((await readLog(path)).records, written);
  const numbers = (await readLog(path, ({ trial }) => trial)).records;
  t.deepEqual(
    numbers,
    written.map(({ trial }) => trial),
    'what is kept of each is all that is kept',
  );
  const again = await TrialLog.open(path);
  // In memory without what programs printed.
  t.deepEqual(
    again.records,
    written.map(({ output: _output, detail: _detail, ...record }) => record),
  );
  t.deepEqual(again.notices, []);
  await again.close();
});

test('distributions come back as written, and a garbled one is no record', async (t) => {
  const path = join(scratch(t), 'trials.jsonl');
  const [metric] = sampleCompleted().metrics;
  if (metric === undefined) return t.fail();
  const withBuckets = (buckets: readonly (readonly [number, number])[]) =>
    sampleCompleted({ metrics: [{ ...metric, histogram: { v: 1, buckets } }] });
  const good = withBuckets([
    [0, 2],
    [63, 1],
    [900, 12],
  ]);
  const log = await TrialLog.open(path);
  await log.append(good);
  await log.close();
  t.deepEqual((await readLog(path)).records, [good]);
  for (const buckets of [
    [[5, 0]],
    [[5, 1.5]],
    [[-1, 1]],
    [
      [6, 1],
      [5, 1],
    ],
    [
      [5, 1],
      [5, 1],
    ],
  ] as const) {
    const { record, fault } = { record: undefined, fault: '', ...parseTrialRecord(withBuckets(buckets)) };
    t.is(record, undefined);
    t.regex(fault, /^not a trial record: metrics\.0\.histogram\.buckets/);
  }
});

test('a second record for the same trial is refused and not written', async (t) => {
  const path = join(scratch(t), 'trials.jsonl');
  const log = await TrialLog.open(path);
  await log.append(sampleCompleted());
  const before = readFileSync(path);
  await t.throwsAsync(log.append(sampleCompleted()), {
    message: `${path}: trial 0000 is already recorded. A trial has one record; start a new run to measure it again`,
  });
  t.deepEqual(readFileSync(path), before);
  await log.append(sampleCompleted({ trial: '0001' }));
  t.is(log.records.length, 2);
  await log.close();
});

test('a record that nobody could read again is refused and not written', async (t) => {
  const path = join(scratch(t), 'trials.jsonl');
  const log = await TrialLog.open(path);
  const error = await t.throwsAsync(log.append(sampleCompleted({ outputBytes: -1 })), {
    instanceOf: PmvxError,
  });
  t.regex(error?.message ?? '', /trial 0000 cannot be recorded: not a trial record: outputBytes/);
  t.is(readFileSync(path, 'utf8'), '');
  await log.append(sampleCompleted());
  await log.close();
});

test('a torn last line is moved aside with a notice, and whole records stay', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'trials.jsonl');
  const good = line('0000') + line('0001');
  const torn = line('0002').slice(0, 40);
  writeFileSync(path, good + torn);
  const log = await TrialLog.open(path);
  t.deepEqual(log.notices, [
    `${path}: the last line was cut off (40 bytes, moved to ${path}.torn-1); 2 whole records kept`,
  ]);
  t.is(readFileSync(`${path}.torn-1`, 'utf8'), torn);
  t.is(readFileSync(path, 'utf8'), good);
  await log.append(sampleCompleted({ trial: '0002' }));
  await log.close();
  t.is(readFileSync(path, 'utf8'), good + line('0002'));

  appendFileSync(path, '{"v":1,');
  await (await TrialLog.open(path)).close();
  t.deepEqual(readdirSync(folder).sort(), ['trials.jsonl', 'trials.jsonl.torn-1', 'trials.jsonl.torn-2']);
});

test('zeroes and damaged JSON at the very end count as torn, with or without a line end', async (t) => {
  for (const tail of ['\0\0\0\0', '{"v":1,"run"\n', '\0\0\n']) {
    const path = join(scratch(t), 'trials.jsonl');
    writeFileSync(path, line('0000') + tail);
    const log = await TrialLog.open(path);
    t.deepEqual(
      log.records.map((record) => record.trial),
      ['0000'],
    );
    t.is(readFileSync(`${path}.torn-1`, 'utf8'), tail);
    await log.close();
  }
});

test('a last record that lacks just its line end is whole, and is kept', async (t) => {
  const path = join(scratch(t), 'trials.jsonl');
  writeFileSync(path, (line('0000') + line('0001')).trimEnd());
  const log = await TrialLog.open(path);
  t.is(log.records.length, 2);
  await log.append(sampleCompleted({ trial: '0002' }));
  await log.close();
  t.is(readFileSync(path, 'utf8'), line('0000') + line('0001') + line('0002'));
});

test('lines in the middle that are not what was written are set aside, and the rest is kept', async (t) => {
  for (const [damage, said] of [
    ['{"v":1,"run\n', 'line 2 is not what was written'],
    [line('0001').replace('"value":0.25', '"value":0.35'), 'line 2 is not what was written'],
    [`{}}\n${line('0003').replace('crc32', 'crc33')}`, 'lines 2, 3 are not what was written'],
  ] as const) {
    const folder = scratch(t);
    const path = join(folder, 'trials.jsonl');
    writeFileSync(path, `${line('0000')}${damage}${line('0002')}${line('0004').slice(0, 30)}`);
    const log = await TrialLog.open(path);
    t.deepEqual(
      log.records.map(({ trial }) => trial),
      ['0000', '0002'],
    );
    t.true(log.notices[0]?.startsWith(`${path}: ${said} (moved to ${path}.damaged-1); `), log.notices[0]);
    t.regex(log.notices[1] ?? '', /^.*trials\.jsonl: the last line was cut off \(30 bytes/);
    t.is(readFileSync(`${path}.damaged-1`, 'utf8'), damage);
    await log.append(sampleCompleted({ trial: '0001' }));
    await log.close();
    t.is(readFileSync(path, 'utf8'), line('0000') + line('0002') + line('0001'));
  }
});

test('no flipped bit and no cut ever changes a record: it is as it was written, or gone', (t) => {
  const written = ['0000', '0001', '0002'].map((trial) => sampleCompleted({ trial }));
  const whole = Buffer.concat(written.map(sealLine));
  const known = new Map(written.map((record) => [record.trial, JSON.stringify(record)]));
  const read = (bytes: Buffer): number => {
    const { records } = parseLog(bytes, 'log', { damage: 'collect' });
    // The first line says whether lines are sealed: where its seal is lost, only that member is not as it was.
    const changed = records.filter((record) => {
      const { trial } = record;
      const own = Object.entries(record).filter(([key]) => key in sampleCompleted());
      return JSON.stringify(Object.fromEntries(own)) !== known.get(trial);
    });
    if (changed.length > 0) t.fail(`${JSON.stringify(changed)}`);
    return records.length;
  };
  t.is(read(whole), 3);
  const most = whole.length * 8;
  let kept = 0;
  for (let bit = 0; bit < most; bit++) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    kept += read(flipped);
  }
  // A flipped line end damages two lines; all other bits one.
  t.true(kept >= 2 * most - 16 && kept <= 2 * most + 8 * 30, `${kept} of ${most} flips`);
  for (let length = 0; length < whole.length; length += 7) read(whole.subarray(0, length));
});

test('a log of lines from before they were sealed is read, and goes on with sealed ones', async (t) => {
  const path = join(scratch(t), 'trials.jsonl');
  writeFileSync(path, `${JSON.stringify(sampleCompleted())}\n`);
  const log = await TrialLog.open(path);
  await log.append(sampleCompleted({ trial: '0001' }));
  await log.close();
  t.deepEqual(
    parseLog(readFileSync(path), path).records.map((record) => record),
    [sampleCompleted(), sampleCompleted({ trial: '0001' })],
  );
  // Without a seal nobody can tell, but what cannot be parsed is told.
  writeFileSync(path, `{"v":1,"run\n${JSON.stringify(sampleCompleted())}\n`);
  t.throws(() => parseLog(readFileSync(path), path), {
    message: `${path}:1: not valid JSON: "{\\"v\\":1,\\"run". Restore the file from a copy, or resume the run: the line is set aside, and its trial measured again`,
  });
});

test('valid JSON that is no trial record is an error, even on the last line', async (t) => {
  const path = join(scratch(t), 'trials.jsonl');
  const refusedWithMetric = { ...sampleUnmeasured(), metrics: sampleCompleted().metrics };
  writeFileSync(path, line('0000') + sealLine(refusedWithMetric as TrialRecord));
  const error = await t.throwsAsync(TrialLog.open(path), { instanceOf: PmvxError });
  t.true(error.message.startsWith(`${path}:2: not a trial record: metrics: `), error.message);

  writeFileSync(path, `${line('0000')}${line('0000')}`);
  await t.throwsAsync(TrialLog.open(path), {
    message: /:2: trial 0000 is already recorded on .*trials\.jsonl:1\. /,
  });
});

test('every acknowledged record survives kill -9 in the middle of appending', async (t) => {
  const path = join(scratch(t), 'trials.jsonl');
  for (let round = 0; round < 3; round++) {
    rmSync(path, { force: true });
    const child = spawn(process.execPath, [join(import.meta.dirname, 'append-forever.ts'), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const acknowledged: string[] = [];
    for await (const trial of createInterface({ input: child.stdout })) {
      acknowledged.push(trial);
      if (acknowledged.length === 40 + round * 7) child.kill('SIGKILL');
    }
    const log = await TrialLog.open(path);
    const kept = log.records.map((record) => record.trial);
    t.true(acknowledged.length >= 40);
    t.deepEqual(kept.slice(0, acknowledged.length), acknowledged);
    // One more may have reached the disk before its acknowledgement was printed.
    t.true(kept.length <= acknowledged.length + 1);
    await log.append(sampleCompleted({ trial: 'after' }));
    await log.close();
  }
});
