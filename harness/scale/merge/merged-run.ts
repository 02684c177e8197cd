// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/ids.ts';
import type { PlannedTrial } from '../../core/trial.ts';
import { blockSeeds } from '../../plan/block-seeds.ts';
import { type Plan, planTrials } from '../../plan/plan.ts';
import type { Nodes } from '../../store/nodes.ts';
import { trialKey } from '../../store/planned-records.ts';
import type { PartOfRun, Provenance } from '../../store/provenance.ts';
import type { RunDescription } from '../../store/run-folder.ts';
import type { Part } from './part.ts';

/** What parts describe together: one run, as if it had been one from the start. Equal sets of parts give equal descriptions. */
export interface MergedDescription extends RunDescription {
  readonly plan: Plan;
  readonly nodes: Nodes;
  /** The plan's trials by `trialKey`. */
  readonly planned: ReadonlyMap<string, PlannedTrial>;
}

/** Describes the run `id` that parts make together. Of specs that differ, the one that plans most is the run's, and must plan all trials. */
export function describeMerged(id: string, parts: readonly Part[]): MergedDescription {
  const specs = [...new Map(parts.map((part) => [canonicalJson(part.spec), part.spec]))]
    .sort(([a], [b]) => compare(a, b))
    .map(([, each]) => ({ spec: each, plan: planTrials(each) }));
  const { spec, plan } = specs.reduce((most, each) =>
    each.plan.trials.length > most.plan.trials.length ? each : most,
  );
  const planned = new Map(plan.trials.map((trial) => [trialKey(trial), trial]));
  for (const part of parts) requirePlanned(part, planned);
  const oldest = parts.map(({ provenance }) => provenance).sort(byAge)[0] as Provenance;
  const nodes = Object.assign({}, ...parts.map((part) => part.nodes)) as Nodes;
  return {
    spec,
    plan,
    planned,
    nodes,
    provenance: provenanceOf(id, oldest, parts, { ...spec.seeds, blocks: blockSeeds(plan) }),
  };
}

function provenanceOf(
  id: string,
  oldest: Provenance,
  parts: readonly Part[],
  seeds: Provenance['seeds'],
): Provenance {
  const { parts: _, ...facts } = oldest;
  const all = parts.flatMap(({ provenance, plan }) => provenance.parts ?? [partOf(provenance, plan.shard)]);
  const unique = new Map(all.map((part) => [canonicalJson(part), part]));
  const sorted = [...unique].sort(([a], [b]) => compare(a, b)).map(([, part]) => part);
  return { ...facts, run: id, seeds, parts: sorted };
}

function partOf({ seeds: _, parts: __, ...facts }: Provenance, shard: PartOfRun['shard']): PartOfRun {
  return { ...facts, ...(shard === undefined ? {} : { shard }) };
}

function requirePlanned(part: Part, planned: ReadonlyMap<string, PlannedTrial>): void {
  const stranger = part.plan.trials.find((trial) => !planned.has(trialKey(trial)));
  if (stranger === undefined) return;
  throw new PmvxError(ExitCode.usage, {
    where: part.folder,
    what: `trial ${stranger.trial} is not in the plan that the runs have together`,
    next: 'Specs that differ can be put together only where one of them plans all trials of the others',
  });
}

function byAge(a: Provenance, b: Provenance): number {
  return compare(a.createdAt, b.createdAt) || compare(canonicalJson(a), canonicalJson(b));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
