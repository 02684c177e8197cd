// SPDX-License-Identifier: Apache-2.0
// Real machines on the nodes of a real Slurm, and in shards: each gives the bytes that one host gives.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { CLI, pmvx, stageImage } from '../../../run/vm/stage.ts';
import { SLOTS, withSlots } from '../../../run/vm/vm-slots.ts';
import { readRun } from '../../../store/run-folder.ts';
import { Cluster } from './cluster.ts';

const SPEC = `
name: cluster-exact
image: quick
policies: [eevdf, scx_simple]
workloads: [{ use: spinners, with: { tasks: 3, units: 60 } }]
machine: { engine: exact, vcpus: 2, memory: 512MiB }
seeds: { base: 7, count: 3 }
controls: []
`;
const TEST_MS = 600_000;

const csvOf = (folder: string) => readFileSync(join(folder, 'trials.csv'), 'utf8');

test('three nodes and two shards come to what one host comes to, byte for byte', async (t) => {
  t.timeout(2 * TEST_MS);
  await stageImage();
  await withSlots(SLOTS, async () => {
    const cluster = await Cluster.start({ nodes: 3, cpus: 1 });
    try {
      // The run's name is a column: it is the same everywhere.
      const at = (where: string) => join(cluster.folder, where, 'run');
      const spec = join(cluster.folder, 'spec.yaml');
      writeFileSync(spec, SPEC);
      const run = (where: string, ...more: string[]) =>
        pmvx('run', spec, '--no-report', '--jobs', '1', '--out', at(where), ...more);

      const alone = await run('alone');
      t.is(alone.exitCode, 0, alone.all);
      const args = ['run', spec, '--on', 'slurm', '--jobs', '1', '--out', at('slurm')];
      const handed = await cluster.run(process.execPath, [CLI, ...args], { PMVX_SLURM_POLL_MS: '300' });
      t.is(handed.exitCode, 0, `${handed.stdout}\n${handed.stderr}`);
      t.regex(handed.stdout, /checked: 2 trials once more on another node, each with the same result/);
      t.is(csvOf(at('slurm')), csvOf(at('alone')));
      const { records } = await readRun(at('slurm'));
      const nodes = new Set(records.map(({ host }) => host.fingerprint?.split('-')[0]));
      t.true(nodes.size > 1, [...nodes].join(' '));
      t.true(records.every(({ transcript, state }) => state === 'completed' && transcript !== undefined));

      for (const shard of ['1/2', '2/2']) {
        const part = await run(`part-${shard[0]}`, '--shard', shard);
        t.is(part.exitCode, 0, part.all);
      }
      const merged = await pmvx('merge', at('part-2'), at('part-1'), '--out', at('merged'));
      t.is(merged.exitCode, 0, merged.all);
      t.is(csvOf(at('merged')), csvOf(at('alone')));
    } finally {
      await cluster[Symbol.asyncDispose]();
    }
  });
});
