// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { ownIdentity } from './process-identity.ts';
import { collectProvenance } from './provenance.ts';
import { createRun, openRun, readRun } from './run-folder.ts';
import { sampleCompleted, sampleDescription, sampleUnmeasured } from './sample-records.ts';

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-run-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const RECORDS = [sampleCompleted(), sampleUnmeasured()];

test('a run is created, left, opened again and read with all that was put in', async (t) => {
  const folder = join(scratch(t), 'runs', 'sample');
  const described = sampleDescription(RECORDS);
  const run = await createRun(folder, described);
  await run.log.append(sampleCompleted());
  t.is((await readRun(folder)).records.length, 1);
  await run.close();
  const again = await openRun(folder);
  await again.log.append(sampleUnmeasured());
  await again.close();
  const read = await readRun(folder);
  t.deepEqual(read, { folder, ...described, records: RECORDS, notices: [] });
  t.deepEqual(readdirSync(folder).sort(), [
    'consoles',
    'plan.json',
    'provenance.json',
    'spec.json',
    'sums.json',
    'trials.jsonl',
  ]);
});

test('a run from before there were fork points is read as what it was', async (t) => {
  const folder = join(scratch(t), 'sample');
  const described = sampleDescription(RECORDS);
  const run = await createRun(folder, described);
  for (const record of RECORDS) await run.log.append(record);
  await run.close();
  rmSync(join(folder, 'sums.json'));
  for (const name of ['spec.json', 'plan.json', 'trials.jsonl']) {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    const older = text
      .replaceAll(/,"crc32":"[0-9a-f]{8}"/g, '')
      .replaceAll(/"(?:point|counterfactual)": ?"[a-z]+",\s*/g, '')
      .replaceAll(/"points": \[[^\]]*\],\s*/g, '')
      .replaceAll(/"nodes": 1,\s*/g, '');
    t.notRegex(older, /point|nodes|counterfactual/);
    t.not(older, text);
    writeFileSync(path, older);
  }
  t.deepEqual(await readRun(folder), { folder, ...described, records: RECORDS, notices: [] });
});

test('a record whose point is none is not to be believed', async (t) => {
  const folder = join(scratch(t), 'sample');
  await (await createRun(folder, sampleDescription(RECORDS))).close();
  const record = JSON.stringify({ ...sampleCompleted(), point: 'soon' });
  writeFileSync(join(folder, 'trials.jsonl'), `${record}\n${record}\n`);
  await t.throwsAsync(readRun(folder), {
    message: /trials\.jsonl:1: not a trial record: point: not a fork point/,
  });
});

test('two controllers cannot write one run', async (t) => {
  const folder = join(scratch(t), 'sample');
  const run = await createRun(folder, sampleDescription(RECORDS));
  await t.throwsAsync(openRun(folder), { message: /run\.lock: the run is in use by process \d+/ });
  await run.close();
  await (await openRun(folder)).close();
});

test('a folder with something in it never becomes a run', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'precious.txt'), 'x');
  await t.throwsAsync(createRun(folder, sampleDescription(RECORDS)), {
    message: `${folder}: the folder is not empty (1 entries). Choose another folder with --out`,
  });
  t.deepEqual(readdirSync(folder), ['precious.txt']);

  const run = join(scratch(t), 'run');
  await (await createRun(run, sampleDescription(RECORDS))).close();
  await t.throwsAsync(createRun(run, sampleDescription(RECORDS)), {
    message: /Continue that run with --resume, or choose another folder with --out$/,
  });
});

test('a run whose controller was killed while it was made is made once more; anything besides is left alone', async (t) => {
  const dead = JSON.stringify({ ...ownIdentity(), startTicks: '1' });
  const half = (more: Readonly<Record<string, string>>) => {
    const folder = join(scratch(t), 'half');
    mkdirSync(join(folder, 'consoles'), { recursive: true });
    for (const [name, text] of Object.entries({
      'run.lock': dead,
      'spec.json': '{',
      'trials.jsonl': '',
      ...more,
    })) {
      writeFileSync(join(folder, name), text);
    }
    return folder;
  };
  const folder = half({ '.plan.json.2-0123456789ab.tmp': '{', '.plan.json.999999999-0123456789ab.tmp': '{' });
  const run = await createRun(folder, sampleDescription(RECORDS));
  await run.close();
  t.deepEqual((await readRun(folder)).records, []);
  // That of a process that is alive is not touched: pid 2 is the kernel's own.
  t.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    existsSync('/proc/2') ? ['.plan.json.2-0123456789ab.tmp'] : [],
  );
  for (const more of [{ 'trials.jsonl': 'x' }, { 'precious.txt': '' }, { 'consoles/0000': '' }]) {
    await t.throwsAsync(createRun(half(more), sampleDescription(RECORDS)), {
      message: /the folder is not empty/,
    });
  }
  const live = half({ 'run.lock': JSON.stringify(ownIdentity()) });
  await t.throwsAsync(createRun(live, sampleDescription(RECORDS)), {
    message: /the run is in use by process/,
  });
});

test('a run that cannot be made leaves nothing that the next try would stumble over', async (t) => {
  const folder = join(scratch(t), 'run');
  const described = sampleDescription(RECORDS);
  // Fails after the first files, as a full disk does.
  const provenance = { ...described.provenance, toJSON: () => assert.fail('no room') };
  await t.throwsAsync(createRun(folder, { ...described, provenance }), { message: 'no room' });
  t.deepEqual(readdirSync(folder), []);
  await (await createRun(folder, described)).close();
  t.false(readdirSync(folder).includes('run.lock'));
});

test('reading a run in progress leaves a torn line where it is and says so', async (t) => {
  const folder = join(scratch(t), 'sample');
  const run = await createRun(folder, sampleDescription(RECORDS));
  await run.log.append(sampleCompleted());
  await run.close();
  const log = join(folder, 'trials.jsonl');
  appendFileSync(log, '{"v":1');
  const before = readFileSync(log);
  const read = await readRun(folder);
  t.is(read.records.length, 1);
  t.deepEqual(read.notices, [`${log}: the last line is incomplete and was left out (6 bytes)`]);
  t.deepEqual(readFileSync(log), before);
});

test('a folder that is no run is told from a run with a damaged file', async (t) => {
  const folder = scratch(t);
  const error = await t.throwsAsync(readRun(folder), { instanceOf: PmvxError });
  t.is(
    error.message,
    `${folder}: not a run: provenance.json cannot be read. pmvx list runs shows what there is`,
  );
  t.is(error.code, ExitCode.usage);
  const run = join(folder, 'run');
  await (await createRun(run, sampleDescription(RECORDS))).close();
  writeFileSync(join(run, 'plan.json'), '{');
  await t.throwsAsync(readRun(run), {
    message: `${run}/plan.json: not what was written: its SHA-256 is not that in sums.json. Restore the file from a copy, or resume the run with the spec that it was made from, unchanged: the file is made again`,
  });
  rmSync(join(run, 'sums.json'));
  await t.throwsAsync(readRun(run), {
    message: `${run}/plan.json: not valid JSON. Restore the file from a copy, or start the run anew`,
  });
});

test('of what describes a run each file that was changed or cut is made again, to the byte', async (t) => {
  const folder = join(scratch(t), 'sample');
  const described = sampleDescription(RECORDS);
  await (await createRun(folder, described)).close();
  for (const name of ['spec.json', 'plan.json', 'provenance.json', 'sums.json']) {
    const path = join(folder, name);
    const good = readFileSync(path, 'utf8');
    for (const bad of ['', good.slice(0, 60), good.replace(/[0-9]/, '7').replace('a', 'b')]) {
      t.not(bad, good);
      writeFileSync(path, bad);
      if (name === 'sums.json')
        t.regex((await readRun(folder)).notices.join(), /sums\.json: damaged, so nothing/);
      else await t.throwsAsync(readRun(folder), { message: /: not what was written: / });
      const run = await openRun(folder, described);
      await run.close();
      t.is(run.notices.length, 1);
      t.regex(run.notices[0] ?? '', new RegExp(`/${name}: was .* made again`));
      t.is(readFileSync(path, 'utf8'), good);
      t.deepEqual((await readRun(folder)).notices, []);
    }
  }
  // Another spec is not what the run was made from, and is not taken for it.
  const path = join(folder, 'spec.json');
  writeFileSync(path, '{}');
  const other = { ...described, spec: { ...described.spec, name: 'other' } };
  await t.throwsAsync(openRun(folder, other), { message: /spec\.json: not what was written: / });
  await t.throwsAsync(openRun(folder), { message: /spec\.json: not what was written: / });
  t.is(readFileSync(path, 'utf8'), '{}');
  t.false(existsSync(join(folder, 'run.lock')));
});

test('a word about an early end that records do not bear out is not believed', async (t) => {
  const folder = join(scratch(t), 'sample');
  const records = [sampleCompleted(), sampleUnmeasured({ block: 1 })];
  const run = await createRun(folder, sampleDescription(records));
  await run.log.append(records[0] as (typeof records)[0]);
  await run.close();
  const stop = join(folder, 'stop.json');
  writeFileSync(stop, '{"blocks":1}');
  t.is((await readRun(folder)).plan.trials.length, 1);
  for (const bad of ['{"blocks":2}', '{"blocks":0}', '{"blocks":1.5}', '{"block1":1}', 'null', '[]']) {
    writeFileSync(stop, bad);
    await t.throwsAsync(readRun(folder), { message: /stop\.json: not what was written: / }, bad);
  }
});

test('provenance tells the host, the versions and the commit, and leaves out what there is not', async (t) => {
  const root = resolve(import.meta.dirname, '../..');
  const given = {
    run: 'sample',
    root,
    engine: 'mock',
    image: {},
    seeds: { base: 7, count: 2 },
    createdAt: new Date(0),
  } as const;
  const provenance = await collectProvenance(given);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  t.is(provenance.pmvx.version, version);
  t.is(provenance.createdAt, '1970-01-01T00:00:00.000Z');
  t.is(provenance.host.node, process.version);
  t.true(provenance.host.cores >= 1 && provenance.host.memoryMiB > 0);

  const elsewhere = scratch(t);
  writeFileSync(join(elsewhere, 'package.json'), '{"version":"9.9.9"}');
  t.deepEqual((await collectProvenance({ ...given, root: elsewhere })).pmvx, { version: '9.9.9' });
});
