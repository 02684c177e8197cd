// SPDX-License-Identifier: Apache-2.0
// Writes a made-up run, to measure how long analyses of large ones take. Its numbers say nothing about any scheduler.
//
//     node analysis/simulation/synthetic-run.ts FOLDER TRIALS
//
// 24 workloads under EEVDF, its A/A control and 19 more policies, in as many blocks as TRIALS allow; one in a hundred trials fails.
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { randomWords, uniform } from '../stats/random.ts';
import { noisyValue } from './noise.ts';

const [folder = '', trials = ''] = process.argv.slice(2);
if (folder === '' || !/^[1-9]\d*$/.test(trials)) {
  console.error('usage: node analysis/simulation/synthetic-run.ts FOLDER TRIALS');
  process.exit(2);
}
const run = 'synthetic';
const words = randomWords(1, run);
const names = (stem: string, count: number) => Array.from({ length: count }, (_, at) => `${stem}-${at + 1}`);
const policies = ['eevdf', ...names('policy', 19)];
const workloads = names('workload', 24).map((workload) => ({ workload, variant: 'default', params: {} }));
const blocks = Math.ceil(Number(trials) / (workloads.length * (policies.length + 1)));
const host = { startedAt: '2026-01-02T03:04:05.000Z', seconds: 1.5, attempt: 1 };
/** As long as what real workloads print. */
const output = `${'a line of what a benchmark prints, with its figures\n'.repeat(8)}`;

const planned: object[] = [];
function* lines() {
  for (let block = 0; block < blocks; block++) {
    for (const { workload, variant, params } of workloads) {
      const level = Math.exp(Math.LN2 * uniform(words));
      for (const [at, policy] of [...policies, 'eevdf'].entries()) {
        if (planned.length === Number(trials)) return;
        const role = at === policies.length ? 'aa' : 'measure';
        const trial = String(planned.length + 1).padStart(7, '0');
        const own = { trial, block, seed: 1 + block, workload, variant, point: 'quiescent', policy, role };
        planned.push({ ...own, params });
        const value = noisyValue('skewed', level * (1 - (at % 20) / 100), 0.05, words);
        const sched = { state: 'enabled', ops: policy, enableSeq: '1', nrRejected: '0', switchAll: '1' };
        const facts = { v: 1, run, ...own, engine: 'mock', schedBefore: sched, schedAfter: sched, host };
        const metric = (name: string, primary: boolean, by: number) => ({
          name,
          unit: 's',
          direction: 'lower',
          primary,
          value: by * value,
        });
        yield `${JSON.stringify(
          uniform(words) < 0.01
            ? {
                ...facts,
                state: 'failed',
                reason: 'exit status 1',
                exitStatus: 1,
                output,
                outputBytes: output.length,
              }
            : {
                ...{ ...facts, state: 'completed', exitStatus: 0, output, outputBytes: output.length },
                ...{ transcript: 'a'.repeat(64), guestSeconds: 3.5 },
                metrics: [metric('time', true, 1), metric('latency_p99', false, 0.01)],
              },
        )}\n`;
      }
    }
  }
}

mkdirSync(folder, { recursive: true });
await pipeline(lines, createWriteStream(join(folder, 'trials.jsonl')));
const topology = { nodes: 1, sockets: 1, cores: 4, threads: 1 };
const spec = {
  ...{ name: run, image: 'quick', policies, workloads, counterfactual: 'boot', points: ['quiescent'] },
  machine: { engine: 'mock', vcpus: 4, memoryMiB: 1024, speed: 250, quantum: 5000, topology },
  ...{
    seeds: { base: 1, count: blocks },
    order: 'listed',
    baseline: 'eevdf',
    controls: ['aa'],
    stop: { rule: 'fixed' },
  },
};
writeFileSync(join(folder, 'spec.json'), JSON.stringify(spec));
await pipeline(
  function* () {
    yield '{"digest":"synthetic","trials":[\n';
    for (const [at, trial] of planned.entries()) yield `${at === 0 ? '' : ',\n'}${JSON.stringify(trial)}`;
    yield '\n]}\n';
  },
  createWriteStream(join(folder, 'plan.json')),
);
const provenance = {
  run,
  createdAt: '2026-01-02T03:04:05.000Z',
  engine: 'mock',
  image: { id: 'none', digests: {} },
};
writeFileSync(join(folder, 'provenance.json'), JSON.stringify(provenance));
