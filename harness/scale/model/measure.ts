// SPDX-License-Identifier: Apache-2.0
// node harness/scale/model/measure.ts FILE: what the model needs of this machine, and the runs that it is held against. Needs the
// packages of slurm/cluster/.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { readLog } from '../../store/read-log.ts';
import { TrialLog } from '../../store/trial-log.ts';
import { Cluster } from '../slurm/cluster/cluster.ts';
import type { ClusterRun, Measured } from './measured.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const NODES = 2;
const POLL_MS = 300;
/** The first gives the model its costs of a task; the others are predicted with them. */
const RUNS = [
  { blocks: 4, trialMs: 300 },
  { blocks: 12, trialMs: 300 },
  { blocks: 6, trialMs: 3000 },
  { blocks: 12, trialMs: 1500 },
];
/** Two policies, and the baseline once more as a control. */
const TRIALS_A_BLOCK = 3;

/** Names of jobs of earlier runs. */
const seen = new Set<string>();

const file = process.argv[2];
if (file === undefined) throw new Error('usage: node harness/scale/model/measure.ts FILE');
const measured: Measured = {
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  loadBefore: loadavg()[0] as number,
  record: await recordCost(dirname(resolve(file))),
  cluster: await clusterRuns(),
};
await writeFile(file, `${JSON.stringify(measured, undefined, 2)}\n`);

/** Seconds for one record of the reference matrix at a time to be checked, written and on disk. */
async function recordCost(disk: string): Promise<Measured['record']> {
  const { records } = await readLog(join(ROOT, 'results/reference/matrix/trials.jsonl'));
  const folder = await mkdtemp(join(disk, '.scale-model-'));
  try {
    const log = await TrialLog.open(join(folder, 'trials.jsonl'));
    const began = performance.now();
    for (const record of records) await log.append(record);
    const seconds = (performance.now() - began) / 1000;
    await log.close();
    return { records: records.length, seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function clusterRuns(): Promise<ClusterRun[]> {
  await using cluster = await Cluster.start({ nodes: NODES, cpus: 1 });
  const runs: ClusterRun[] = [];
  for (const [at, run] of RUNS.entries()) runs.push(await clusterRun(cluster, `run${at}`, run));
  return runs;
}

async function clusterRun(
  cluster: Cluster,
  name: string,
  { blocks, trialMs }: (typeof RUNS)[number],
): Promise<ClusterRun> {
  const spec = join(cluster.folder, `${name}.yaml`);
  await writeFile(
    spec,
    `name: ${name}\nimage: quick\npolicies: [eevdf, scx_simple]\nworkloads:\n  - use: hackbench\n` +
      `machine: { engine: mock, vcpus: 4, memory: 1GiB }\nseeds: { base: 7, count: ${blocks} }\n`,
  );
  const out = join(cluster.folder, name, 'run');
  const how = ['--on', 'slurm', '--out', out, '--jobs', '1', '--check-every', '0', '--no-report'];
  const env = { PMVX_MOCK_TRIAL_MS: String(trialMs), PMVX_SLURM_POLL_MS: String(POLL_MS) };
  const began = performance.now();
  const end = await cluster.run(process.execPath, [join(ROOT, 'harness/cli.ts'), 'run', spec, ...how], env);
  const wallSeconds = (performance.now() - began) / 1000;
  if (end.exitCode !== 0) throw new Error(`${name}: ${end.stdout}\n${end.stderr}`);
  const lines = (await readFile(join(out, 'trials.jsonl'), 'utf8')).trim().split('\n');
  if (lines.length !== blocks * TRIALS_A_BLOCK) throw new Error(`${name}: ${lines.length} records`);
  const asked = [
    '--allocations',
    '--noheader',
    '--parsable2',
    '--format=JobID,JobName,Submit,Start,End,NodeList',
  ];
  const { stdout } = await cluster.run('sacct', asked, { SLURM_TIME_FORMAT: '%s' });
  const jobs = new Set<string>();
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.split('|'));
  const known = rows.filter(([, job]) => job !== undefined && !seen.has(job));
  for (const [, job] of known) jobs.add(job as string);
  for (const job of jobs) seen.add(job);
  const tasks = known.map(([id, job, submit, start, finish, node]) => {
    const [submitS, startS, endS] = [Number(submit), Number(start), Number(finish)];
    return { id: String(id), job: String(job), submitS, startS, endS, node: String(node) };
  });
  return {
    nodes: NODES,
    slotsANode: 1,
    blocks,
    trialsABlock: TRIALS_A_BLOCK,
    trialMs,
    pollMs: POLL_MS,
    wallSeconds,
    tasks,
  };
}
