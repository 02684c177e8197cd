// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Spec } from '../../core/spec.ts';
import { type MockScript, mockEngine } from '../../lab/mock.ts';
import { blockSeeds } from '../../plan/block-seeds.ts';
import { planTrials } from '../../plan/plan.ts';
import { type Shard, shardOf } from '../../plan/shard.ts';
import { runTrials } from '../../run/controller.ts';
import { CATALOG, SPEC } from '../../run/scene.ts';
import { addNodes, fingerprintOf, type NodeFacts } from '../../store/nodes.ts';
import type { Provenance } from '../../store/provenance.ts';
import { createRun, openRun, RUN_FILES } from '../../store/run-folder.ts';
import { writeTrialsCsv } from '../../store/trials-csv.ts';

/** Five blocks of two policies and a null control on one workload. */
export const MERGED_SPEC: Spec = {
  ...SPEC,
  name: 'merged',
  seeds: { base: 7, count: 5 },
  order: 'randomised',
  controls: ['aa'],
};

/** A workload whose time depends on seed and policy. */
export const STEADY: MockScript = ({ seed, policy }) => ({
  kind: 'run',
  output: `Time: ${(seed % 1000) / 1000 + (policy.id === 'eevdf' ? 1 : 0.5)}\n`,
});

/** A run as one host made it. */
export interface PartScene {
  readonly spec?: Spec;
  readonly shard?: Shard;
  readonly node?: Partial<NodeFacts>;
  readonly provenance?: Partial<Provenance>;
  readonly script?: MockScript;
  /** Trials to be left out. */
  readonly without?: (trial: string) => boolean;
}

const NODE: NodeFacts = { name: 'n1', cpuModel: 'A', cores: 2, memoryMiB: 4096, kernel: '6.1' };

/** Runs a spec, or one shard of it, into `folder` on the mock engine; a run that is there goes on. */
export async function runPart(folder: string, scene: PartScene = {}): Promise<string> {
  const { spec = MERGED_SPEC, shard, script = STEADY, without = () => false } = scene;
  const whole = planTrials(spec);
  const plan = shard === undefined ? whole : shardOf(whole, shard);
  const id = folder.slice(folder.lastIndexOf('/') + 1);
  const node = { ...NODE, ...scene.node };
  const { name: _, ...host } = node;
  const provenance: Provenance = {
    v: 1,
    run: id,
    createdAt: '2026-01-02T03:04:05.000Z',
    pmvx: { version: '0.1.0', commit: 'aa' },
    host: { ...host, node: 'v24' },
    engine: spec.machine.engine,
    image: { id: 'quick-aa', digests: { kernel: 'k', root: 'r' } },
    definitions: 'd',
    seeds: { ...spec.seeds, blocks: blockSeeds(plan) },
    ...scene.provenance,
  };
  const run = existsSync(folder)
    ? await openRun(folder)
    : await createRun(folder, { spec, plan, provenance });
  const fingerprint = fingerprintOf(node);
  await addNodes(folder, { [fingerprint]: node });
  let ticks = 0;
  await runTrials({
    run: id,
    spec,
    trials: plan.trials.filter(({ trial }) => !without(trial)),
    catalog: CATALOG,
    engine: { ...mockEngine(script), name: spec.machine.engine },
    log: run.log,
    consoles: join(folder, RUN_FILES.consoles),
    fingerprint,
    jobs: 2,
    signal: new AbortController().signal,
    watch: () => undefined,
    now: () => new Date(Date.UTC(2026, 0, 2) + 1000 * ticks++),
  });
  await writeTrialsCsv(join(folder, RUN_FILES.csv), run.log.records);
  await run.close();
  return folder;
}
