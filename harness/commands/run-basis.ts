// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { canonicalJson, shortDigest } from '../core/ids.ts';
import type { Spec } from '../core/spec.ts';
import { blockSeeds } from '../plan/block-seeds.ts';
import type { Plan } from '../plan/plan.ts';
import type { ShardPlan } from '../plan/shard.ts';
import { requireSameRun } from '../run/same-run.ts';
import { collectProvenance, type ImageFacts } from '../store/provenance.ts';
import { createRun, type OpenRun, openRun } from '../store/run-folder.ts';
import type { RunPlace } from './run-place.ts';

/** What decides the numbers of a run. */
export interface Basis {
  readonly spec: Spec;
  readonly plan: Plan | ShardPlan;
  /** Of `definitionsDigest`. */
  readonly definitions: string;
  readonly image: ImageFacts;
}

/** Names what the policies and workloads of a spec are defined as, so that a run is not resumed with others. */
export function definitionsDigest(spec: Spec, catalog: Catalog): string {
  return shortDigest(
    canonicalJson({
      policies: spec.policies.map((id) => catalog.policies.get(id)),
      workloads: spec.workloads.map(({ workload }) => catalog.workloads.get(workload)),
    }),
  );
}

/** Makes the run at `place`, or opens the one that is there, which must be of the same basis. */
export async function openOrCreate(place: RunPlace, basis: Basis, root: string): Promise<OpenRun> {
  const { spec, plan, definitions, image } = basis;
  if (place.exists) {
    const run = await openRun(place.folder, { spec, plan });
    try {
      const { image: before, definitions: definedBefore } = run.provenance;
      const was = {
        spec: run.spec,
        shard: run.plan.shard,
        plan: run.plan,
        image: before.digests,
        definitions: definedBefore,
      };
      const shard = 'shard' in plan ? plan.shard : undefined;
      requireSameRun(place.folder, was, { spec, shard, plan, definitions, image: image.digests });
      return run;
    } catch (error) {
      await run.close();
      throw error;
    }
  }
  const provenance = await collectProvenance({
    run: place.id,
    root,
    engine: spec.machine.engine,
    image,
    definitions,
    seeds: { ...spec.seeds, blocks: blockSeeds(plan) },
    createdAt: new Date(),
  });
  return createRun(place.folder, { spec, plan, provenance });
}
