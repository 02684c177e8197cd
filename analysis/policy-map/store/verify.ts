// SPDX-License-Identifier: Apache-2.0
import type { Cell } from '../cells.ts';
import { type Evidence, evidenceDigest, OBJECTIVES, type Outcome } from '../evidence.ts';
import type { PolicyMapReader } from '../policy-map.ts';
import { emptySummary, type PolicySummary, withOutcome } from '../summary.ts';
import { chord } from '../vector.ts';

/** Compares summaries with the outcomes that they are derived from. A line for each fault. */
export async function summaryFaults(
  map: PolicyMapReader,
  stored: ReadonlyMap<string, readonly PolicySummary[]>,
): Promise<string[]> {
  const derived = new Map<string, Map<string, PolicySummary>>();
  const machines = new Map<string, string>();
  for await (const evidence of map.evidence()) {
    if (evidence.kind === 'run') machines.set(evidence.run, JSON.stringify(evidence.machine));
    if (evidence.kind !== 'outcome') continue;
    const key = situationName(machines.get(evidence.run) as string, evidence);
    const policies = derived.get(key) ?? new Map<string, PolicySummary>();
    derived.set(key, policies);
    policies.set(
      evidence.policy,
      withOutcome(policies.get(evidence.policy) ?? emptySummary(evidence.policy), evidence),
    );
  }
  const faults: string[] = [];
  for (const key of new Set([...stored.keys(), ...derived.keys()])) {
    const [kept, real] = [stored.get(key) ?? [], [...(derived.get(key)?.values() ?? [])]];
    if (!sameSummaries(kept, real)) faults.push(`situation ${key}: its summary is not what its outcomes say`);
  }
  return faults;
}

/** Compares each piece of evidence with the digest that it was learnt with; `stored` has these by name. */
export async function evidenceFaults(
  map: PolicyMapReader,
  stored: ReadonlyMap<string, string>,
): Promise<string[]> {
  const faults: string[] = [];
  let seen = 0;
  for await (const evidence of map.evidence()) {
    seen++;
    const name = evidenceName(evidence);
    const digest = stored.get(name);
    if (digest === undefined) faults.push(`${name}: it has no digest`);
    else if (evidenceDigest(evidence) !== digest) faults.push(`${name}: it is not what was learnt`);
  }
  if (seen !== stored.size) faults.push(`${stored.size} pieces of evidence have a digest, ${seen} are there`);
  return faults;
}

function evidenceName(evidence: Evidence): string {
  if (evidence.kind === 'run') return `run ${evidence.run}`;
  return trialName(evidence.run, evidence.trial, evidence.kind === 'outcome' ? undefined : evidence.window);
}

/** Of an outcome without a window, of an observation with one. */
export function trialName(run: string, trial: string, window?: number): string {
  return window === undefined
    ? `outcome of ${run}/${trial}`
    : `observation of ${run}/${trial}, window ${window}`;
}

export function situationName(
  machine: string,
  { workload, variant, point }: Pick<Outcome, 'workload' | 'variant' | 'point'>,
): string {
  return `${machine} ${workload} ${variant} ${point}`;
}

/** Every member of a cell must be within its radius, or searches would miss it. */
export function cellFaults(cell: Cell, members: readonly Float32Array[]): string[] {
  const far = members.filter((vector) => chord(cell.leader, vector) > cell.radius + 1e-6).length;
  return [
    ...(far === 0 ? [] : [`cell ${cell.id}: ${far} vectors lie outside its radius`]),
    ...(members.length === cell.size
      ? []
      : [`cell ${cell.id}: has ${members.length} vectors, not ${cell.size}`]),
  ];
}

function sameSummaries(a: readonly PolicySummary[], b: readonly PolicySummary[]): boolean {
  const other = new Map(b.map((summary) => [summary.policy, summary]));
  return a.length === b.length && a.every((summary) => same(summary, other.get(summary.policy)));
}

function same(a: PolicySummary, b: PolicySummary | undefined): boolean {
  if (b === undefined || a.trials !== b.trials || a.failures !== b.failures) return false;
  // Values were added in another order, so the last digits may differ.
  const near = (x: number, y: number) => Math.abs(x - y) <= 1e-9 * Math.max(1, Math.abs(x), Math.abs(y));
  return OBJECTIVES.every((objective) => {
    const [x, y] = [a.logCosts[objective], b.logCosts[objective]];
    return x.n === y.n && near(x.mean, y.mean) && near(x.m2, y.m2);
  });
}
