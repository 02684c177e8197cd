// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabelledVector } from '../../analysis/features/separation.ts';
import type { Example } from '../../analysis/policy-map/choose/training.ts';
import { openMap } from '../../analysis/policy-map/open-map.ts';
import { evidenceOfRun } from '../../analysis/policy-map/run-evidence.ts';
import type { Claims } from '../../paper-figs/claims/claims.ts';
import type { Evidence } from '../../paper-figs/claims/finding.ts';
import type { Catalog } from '../core/catalog.ts';
import { canonicalJson } from '../core/ids.ts';
import type { StoredRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { MAP_KIND } from './learn.ts';
import { learntRun, machineOfRun } from './learnt-run.ts';
import { examplesByMachine } from './map-examples.ts';
import { keptReplays } from './paper-replays.ts';
import { labelledVectors, probedSamples } from './probed-samples.ts';

type Runs = ReadonlyMap<string, StoredRun>;

/** All that the claims are judged by, from the runs of their experiments. */
export async function paperEvidence(claims: Claims, runs: Runs, context: CommandContext): Promise<Evidence> {
  const catalog = await context.catalog();
  const vectors = new Map<string, readonly LabelledVector[]>();
  const situations = new Map<string, readonly Example[]>();
  for (const { test } of claims.claims) {
    if (test.kind === 'vectors-tell-apart') {
      for (const name of test.experiments) {
        const run = runs.get(name);
        if (run !== undefined) vectors.set(name, vectorsOf(name, run, context));
      }
    } else if (test.kind === 'map-recommends') {
      const [outcomes, looks] = [runs.get(test.experiment), runs.get(test.vectors)];
      if (outcomes !== undefined && looks !== undefined) {
        situations.set(test.experiment, await learntSituations(outcomes, looks));
      }
    }
  }
  return {
    runs,
    ...factsOf(catalog),
    vectors,
    situations,
    replays: await keptReplays(claims, context.root, catalog),
  };
}

function vectorsOf(name: string, run: StoredRun, context: CommandContext): LabelledVector[] {
  return labelledVectors(probedSamples(run), ({ workload, configuration }, why) => {
    context.warn(`pmvx: ${name}: ${workload} ${configuration}: no vector: ${why}`);
  });
}

/** What a map knows that learnt both runs, of the machine on which `outcomes` was measured. The map is a file as any other, removed afterwards. */
async function learntSituations(outcomes: StoredRun, looks: StoredRun): Promise<readonly Example[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-paper-'));
  try {
    const map = await openMap(join(folder, 'map.db'), MAP_KIND);
    try {
      const read = await Promise.all([outcomes, looks].map((run) => learntRun(run)));
      await map.learn(read.flatMap(({ learnt }) => [...evidenceOfRun(learnt)]));
      const machine = canonicalJson(machineOfRun(outcomes));
      const known = await examplesByMachine(map, 'primary');
      return known.find((each) => canonicalJson(each.machine) === machine)?.examples ?? [];
    } finally {
      await map.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function factsOf(catalog: Catalog): Pick<Evidence, 'classes' | 'policies'> {
  const classes = new Map([...catalog.workloads].map(([id, { definition }]) => [id, definition.class]));
  const policies = new Map(
    [...catalog.policies].map(([id, { definition }]) => [
      id,
      {
        kind: definition.kind,
        ...(definition.kind === 'knob' ? { subsystem: definition.subsystem } : {}),
      },
    ]),
  );
  return { classes, policies };
}
