// SPDX-License-Identifier: Apache-2.0
// node analysis/policy-map/bench.ts [--small | --large]: how long learning and asking take, on made-up evidence of the size that is asked for.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { FEATURES } from '../features/definition.ts';
import { quantile } from '../stats/quantile.ts';
import { askMap } from './choose/ask.ts';
import { settleCalibrations } from './choose/calibration.ts';
import { SAMPLE_MACHINE, sampleEvidence, sampleVector } from './sample-evidence.ts';
import { readSqliteMap } from './sqlite/reader.ts';
import { openSqliteMap } from './sqlite/writer.ts';
import { unitVector } from './vector.ts';

const DIMENSIONS = FEATURES.length;
const KIND = { features: 'bench', dimensions: DIMENSIONS };
const POLICIES = 12;
const GROUPS = 40;
const QUERIES = 2000;

interface Size {
  readonly what: string;
  readonly situations: number;
  readonly policies: number;
  readonly blocks: number;
}

const SIZES: readonly Size[] = [
  { what: '100,000 outcomes', situations: 1667, policies: POLICIES, blocks: 5 },
  { what: '10,000 entries', situations: 834, policies: POLICIES, blocks: 1 },
  { what: '1,000,000 entries', situations: 83_334, policies: POLICIES, blocks: 1 },
];
/** A vector for each entry: more than any policy map needs, for an entry is a situation and a policy, and a situation has one vector. */
const LARGE: Size = { what: '1,000,000 vectors', situations: 1_000_000, policies: 1, blocks: 1 };

const large = process.argv.includes('--large');
const small = process.argv.includes('--small');
const chosen = small ? SIZES.slice(0, 2) : large ? [...SIZES, LARGE] : SIZES;

const folder = mkdtempSync(join(tmpdir(), 'pmvx-map-bench-'));
try {
  const rows = [];
  for (const size of chosen) rows.push(await measure(size));
  const host = `${availableParallelism()} x ${cpus()[0]?.model}, Node ${process.version}`;
  console.log(JSON.stringify({ v: 1, host, dimensions: DIMENSIONS, queries: QUERIES, rows }, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Wall time and, because a host may have other work, processor time of this process. */
async function measure({ what, situations, policies, blocks }: Size) {
  const path = join(folder, `${situations}.db`);
  const map = openSqliteMap(path, KIND);
  const evidence = { run: 'bench', situations, policies, blocks, dimensions: DIMENSIONS, groups: GROUPS };
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  const { outcomes } = await map.learn(sampleEvidence(evidence), settleCalibrations);
  const used = process.cpuUsage(cpu);
  const learn = {
    seconds: round((performance.now() - wall) / 1000),
    cpuSeconds: round((used.user + used.system) / 1e6),
  };
  await map.close();

  const reader = readSqliteMap(path);
  const times: number[] = [];
  let processor = process.cpuUsage();
  for (let query = -50; query < QUERIES; query++) {
    // Of the same groups, and never seen.
    const vector = unitVector(sampleVector(DIMENSIONS, 10_000_000 + query + 50, GROUPS), DIMENSIONS, 'bench');
    if (query === 0) processor = process.cpuUsage();
    const began = performance.now();
    await askMap(reader, { vector, features: KIND.features, machine: SAMPLE_MACHINE, objective: 'primary' });
    // The first ones bring the file into memory and the code to speed.
    if (query >= 0) times.push(performance.now() - began);
  }
  const asked = process.cpuUsage(processor);
  await reader.close();
  const meanQueryCpuMs = round((asked.user + asked.system) / 1000 / QUERIES);
  const mebibytes = Math.round(statSync(path).size / 2 ** 20);
  return {
    what,
    situations,
    outcomes,
    mebibytes,
    learn,
    queryMs: percentiles(times),
    meanQueryCpuMs,
  };
}

function percentiles(times: number[]) {
  times.sort((a, b) => a - b);
  return {
    p50: round(quantile(times, 0.5)),
    p99: round(quantile(times, 0.99)),
    max: round(quantile(times, 1)),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
