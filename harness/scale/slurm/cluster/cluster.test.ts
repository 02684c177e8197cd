// SPDX-License-Identifier: Apache-2.0
// Debian's own Slurm, with accounts, on hosts made of namespaces: see cluster.sh.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { readRun } from '../../../store/run-folder.ts';
import { Cluster, type CommandEnd } from './cluster.ts';

const CLI = resolve(import.meta.dirname, '../../../cli.ts');
/** A task of three trials that takes about a second besides its start. */
const SLOW = { PMVX_MOCK_TRIAL_MS: '300', PMVX_SLURM_POLL_MS: '300' };
const DEADLINE_MS = 600_000;
const TEST_MS = 1_200_000;

const SPEC = `
name: cluster
image: quick
policies: [eevdf, scx_simple]
workloads:
  - use: hackbench
machine: { engine: mock, vcpus: 4, memory: 1GiB }
seeds: { base: 7, count: 9 }
`;

const cluster = await Cluster.start({ nodes: 3, cpus: 2 });
test.after.always(() => cluster[Symbol.asyncDispose]());
const spec = join(cluster.folder, 'spec.yaml');
writeFileSync(spec, SPEC);

function pmvx(...args: string[]): Promise<CommandEnd> {
  return cluster.run(process.execPath, [CLI, ...args], SLOW);
}

async function until(t: ExecutionContext, what: string, is: () => Promise<boolean> | boolean): Promise<void> {
  for (const began = Date.now(); !(await is()); await delay(200)) {
    if (Date.now() > began + DEADLINE_MS) t.fail(`waited in vain until ${what}`);
  }
}

function csvOf(folder: string): string {
  return readFileSync(join(folder, 'trials.csv'), 'utf8');
}

/** Lines in the logs of all attempts. */
function recorded(folder: string): number {
  const parts = join(folder, 'slurm', 'parts');
  const logs = existsSync(parts)
    ? readdirSync(parts, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('trials.jsonl'),
      )
    : [];
  return logs.reduce((sum, name) => sum + readFileSync(join(parts, name), 'utf8').split('\n').length - 1, 0);
}

test.serial(
  'a matrix on three nodes is the one of one machine, although a node dies and the controller is restarted',
  async (t) => {
    t.timeout(TEST_MS);
    const folder = join(cluster.folder, 'matrix', 'run');
    const alone = join(cluster.folder, 'alone', 'run');
    const single = pmvx('run', spec, '--jobs', '4', '--out', alone, '--no-report');
    const handed = await pmvx('run', spec, '--on', 'slurm', '--out', folder, '--jobs', '1', '--detach');
    t.is(handed.exitCode, 0, handed.stderr);
    t.regex(
      handed.stdout,
      /slurm goes on with it\. Watch it: pmvx slurm attach \S+; stop it: pmvx slurm cancel/,
    );

    await until(t, 'tasks record', () => recorded(folder) > 1);
    await cluster.killNode(2);
    const attached = pmvx('slurm', 'attach', folder);
    await until(
      t,
      'more is recorded',
      () =>
        recorded(folder) +
          (existsSync(join(folder, 'trials.jsonl'))
            ? readFileSync(join(folder, 'trials.jsonl'), 'utf8').split('\n').length - 1
            : 0) >
        4,
    );
    await cluster.restartController();

    const { exitCode, stdout, stderr } = await attached;
    t.is(exitCode, 0, `${stdout}\n${stderr}`);
    t.is((await single).exitCode, 0);
    t.is(csvOf(folder), csvOf(alone));
    t.regex(stdout, /27 of 27 trials recorded/);
    t.regex(stdout, /slurm: \d+ of 10 tasks done/);
    t.regex(stdout, /checked: 3 trials once more on another node, each with the same result/);
    t.regex(readFileSync(join(folder, 'table.csv'), 'utf8'), /scx_simple/);

    const nodes = new Set((await readRun(folder)).records.map(({ host }) => host.fingerprint?.split('-')[0]));
    t.true(nodes.has('n1') && nodes.has('n3'), [...nodes].join(' '));
    const { stdout: history } = await cluster.run('sacct', [
      '--allocations',
      '--duplicates',
      '--noheader',
      '--parsable2',
      '--format=JobID,State,NodeList',
    ]);
    t.regex(
      history,
      /\|NODE_FAIL\|n2/,
      'Slurm itself has seen the node fail, and has started its tasks again',
    );
  },
);

test.serial(
  'cancelling ends every task, keeps what was recorded, and leaves nothing; the run can go on',
  async (t) => {
    t.timeout(TEST_MS);
    await cluster.startNode(2);
    const folder = join(cluster.folder, 'cancelled', 'run');
    const watching = pmvx(
      'run',
      spec,
      '--on',
      'slurm',
      '--out',
      folder,
      '--jobs',
      '1',
      '--check-every',
      '0',
      '--no-report',
    );
    await until(t, 'tasks record', () => recorded(folder) > 0);
    const cancelled = await pmvx('slurm', 'cancel', folder);
    t.is(cancelled.exitCode, 0, cancelled.stderr);
    const watched = await watching;
    t.is(watched.exitCode, 5, watched.stdout);
    t.regex(watched.stderr, /trials were not recorded by tasks that have ended: .*CANCELLED/);
    const { stdout: queue } = await cluster.run('squeue', ['--noheader']);
    t.is(queue, '');
    const { stdout: left } = await cluster.run('pgrep', ['-fa', 'slurm task']);
    t.is(left, '', 'no task lives on');

    const again = await pmvx('slurm', 'cancel', folder);
    const kept = Number(/cancelled: (\d+) of 27 trials are recorded/.exec(again.stdout)?.[1]);
    t.true(kept > 0 && kept < 27, again.stdout);
    t.deepEqual(readdirSync(join(folder, 'slurm', 'parts')), []);
    const resumed = await pmvx('run', spec, '--on', 'slurm', '--resume', folder, '--no-report');
    t.is(resumed.exitCode, 0, resumed.stderr);
    t.regex(resumed.stdout, new RegExp(`${kept} of 27 trials are recorded already`));
    t.is(csvOf(folder), csvOf(join(cluster.folder, 'alone', 'run')));
    const { stdout: status } = await pmvx('slurm', 'status', folder);
    t.regex(status, /^27 of 27 trials recorded\n/);
  },
);

test.serial('what Slurm refuses is told in its own words', async (t) => {
  t.timeout(TEST_MS);
  const folder = join(cluster.folder, 'refused', 'run');
  const { exitCode, stderr } = await pmvx(
    'run',
    spec,
    '--on',
    'slurm',
    '--partition',
    'nowhere',
    '--out',
    folder,
  );
  t.is(exitCode, 3);
  t.regex(stderr, /sbatch: Slurm refused: .*nvalid partition/);
});
