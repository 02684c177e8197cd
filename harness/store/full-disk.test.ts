// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { writeAtomic } from './atomic-write.ts';
import { createRun } from './run-folder.ts';
import { sampleCompleted, sampleDescription } from './sample-records.ts';
import { TrialLog } from './trial-log.ts';

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-disk-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Runs a module in a mount namespace of its own, in which `$1` is a small tmpfs with the given mount options.
 */
async function onTmpfs(folder: string, options: string, code: string): Promise<string> {
  const mount = `mount -t tmpfs -o ${options} none "$1" && exec "$0" --input-type=module-typescript -e "$2" "$1"`;
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const { stdout } = await execa(
    'unshare',
    ['-m', ...asRoot, 'sh', '-c', mount, process.execPath, folder, code],
    {
      cwd: import.meta.dirname,
      // Whoever tries again for ever is to fail here.
      timeout: 120_000,
    },
  );
  return stdout;
}

const IMPORTS = `
  import { readFileSync, readdirSync } from 'node:fs';
  import { TrialLog } from '${import.meta.dirname}/trial-log.ts';
  import { writeAtomic } from '${import.meta.dirname}/atomic-write.ts';
  import { createRun } from '${import.meta.dirname}/run-folder.ts';
  import { sampleCompleted, sampleDescription } from '${import.meta.dirname}/sample-records.ts';
  const folder = process.argv[1];
`;

test('a full disk ends an append with an error, and every record before it stays readable', async (t) => {
  const folder = scratch(t);
  const said = await onTmpfs(
    folder,
    'size=256k',
    `${IMPORTS}
    const path = folder + '/trials.jsonl';
    const log = await TrialLog.open(path);
    let acknowledged = 0, message;
    try {
      for (;; acknowledged++) await log.append(sampleCompleted({ trial: String(acknowledged), output: 'x'.repeat(3000) }));
    } catch (error) { message = [error.code, error.message]; }
    const later = await log.append(sampleCompleted({ trial: 'later' })).then(() => 'taken', (error) => error.message);
    await log.close();
    const again = await TrialLog.open(path);
    console.log(JSON.stringify({ acknowledged, message, later, kept: again.records.length, notices: again.notices }));
    await again.close();`,
  );
  const seen = JSON.parse(said) as {
    acknowledged: number;
    message: [number, string];
    later: string;
    kept: number;
  };
  const path = join(folder, 'trials.jsonl');
  const words = `${path}: cannot append to the trial log: no space left on the device (ENOSPC). Free some space, then resume the run; what was recorded is kept`;
  t.deepEqual(seen.message, [ExitCode.environment, words]);
  t.is(seen.later, words);
  t.true(seen.acknowledged > 20);
  t.is(seen.kept, seen.acknowledged);
});

test('a disk without room for what is set aside ends opening a log with an error, and changes nothing', async (t) => {
  const folder = scratch(t);
  const said = await onTmpfs(
    folder,
    // Its root and the log: not one file more.
    'size=64k,nr_inodes=2',
    `${IMPORTS}
    import { appendFileSync } from 'node:fs';
    const path = folder + '/trials.jsonl';
    const log = await TrialLog.open(path);
    await log.append(sampleCompleted());
    await log.close();
    appendFileSync(path, '{"v":1,');
    const before = readFileSync(path, 'utf8');
    const message = await TrialLog.open(path).then(() => 'opened', (error) => error.message);
    console.log(JSON.stringify({ message, kept: readFileSync(path, 'utf8') === before }));`,
  );
  t.deepEqual(JSON.parse(said), {
    message: `${folder}/trials.jsonl: cannot open the trial log: no space left on the device (ENOSPC). Free some space, then resume the run; what was recorded is kept`,
    kept: true,
  });
});

test('a full disk leaves the old file when a new one cannot be written beside it', async (t) => {
  const folder = scratch(t);
  const said = await onTmpfs(
    folder,
    'size=64k',
    `${IMPORTS}
    const path = folder + '/trials.csv';
    await writeAtomic(path, 'old');
    const message = await writeAtomic(path, 'x'.repeat(200_000)).then(() => 'written', (error) => error.message);
    console.log(JSON.stringify({ message, text: readFileSync(path, 'utf8'), names: readdirSync(folder) }));`,
  );
  t.deepEqual(JSON.parse(said), {
    message: `${folder}/trials.csv: cannot write: no space left on the device (ENOSPC). Free some space, then resume the run; what was recorded is kept`,
    text: 'old',
    names: ['trials.csv'],
  });
});

test('a read-only folder is an error that names it and the way out', async (t) => {
  const folder = scratch(t);
  const said = await onTmpfs(
    folder,
    'size=64k,ro',
    `${IMPORTS}
    const tell = (error) => [error.code, error.message];
    const run = await createRun(folder + '/one', sampleDescription([sampleCompleted()])).then(() => 'made', tell);
    const log = await TrialLog.open(folder + '/trials.jsonl').then(() => 'made', tell);
    console.log(JSON.stringify({ run, log }));`,
  );
  const next = 'the file system is read-only (EROFS). Choose a folder that can be written with --out';
  t.deepEqual(JSON.parse(said), {
    run: [ExitCode.environment, `${folder}/one: cannot create folder: ${next}`],
    log: [ExitCode.environment, `${folder}/trials.jsonl: cannot open the trial log: ${next}`],
  });
});

test('a results path below a file is an error that names it', async (t) => {
  const file = join(scratch(t), 'file');
  writeFileSync(file, '');
  const error = await t.throwsAsync(
    createRun(join(file, 'runs', 'one'), sampleDescription([sampleCompleted()])),
    {
      instanceOf: PmvxError,
    },
  );
  t.is(
    error.message,
    `${file}/runs: cannot create folder: a part of the path is not a folder (ENOTDIR). Choose a folder with --out`,
  );
  t.is(error.code, ExitCode.environment);
  await t.throwsAsync(TrialLog.open(join(file, 'trials.jsonl')), { message: /ENOTDIR/ });
  await t.throwsAsync(writeAtomic(join(file, 'x'), ''), { message: /ENOTDIR/ });
});
