// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../../harness/core/trial.ts';
import { type Evidence, type Finding, notRun, percent } from './finding.ts';

export interface IdenticalCopies {
  /** Machines frozen and forked under each policy. */
  readonly forked: string;
  /** The same spec, every trial executed from power-on. */
  readonly booted: string;
}

/**
 * Reproduced: every trial of the forked run has its twin in the booted one with the same bytes from the guest, whatever the policy; all policies of a
 * block had one seed; two or more machines ran at once; there are two or more blocks; and every completed trial has the kernel's word that its
 * policy was active before and after.
 */
export function identicalCopies(test: IdenticalCopies, { runs }: Evidence): Finding {
  const [forked, booted] = [runs.get(test.forked), runs.get(test.booted)];
  const missing = [forked, booted].flatMap((run, at) =>
    run === undefined || run.records.length === 0 ? [[test.forked, test.booted][at] as string] : [],
  );
  if (forked === undefined || booted === undefined || missing.length > 0) return notRun(missing);
  const twins = new Map(booted.records.map((record) => [keyOf(record), record]));
  const paired = forked.records.flatMap((record) => {
    const twin = twins.get(keyOf(record));
    return twin === undefined ? [] : [[record, twin] as const];
  });
  const equal = paired.filter(
    ([a, b]) => a.transcript !== undefined && a.transcript === b.transcript && a.state === b.state,
  ).length;
  const measured = forked.records.filter(({ role }) => role === 'measure');
  const seeds = new Map<number, Set<number>>();
  for (const { block, seed } of measured) seeds.set(block, (seeds.get(block) ?? new Set()).add(seed));
  const oneSeed = [...seeds.values()].filter(({ size }) => size === 1).length;
  const completed = measured.filter(({ state }) => state === 'completed');
  const proven = completed.filter(
    ({ schedBefore, schedAfter }) => schedBefore?.state !== undefined && schedAfter?.state !== undefined,
  ).length;
  const atOnce = mostAtOnce(forked.records);
  const policies = new Set(measured.map(({ policy }) => policy)).size;
  const numbers = {
    trials: forked.records.length,
    paired: paired.length,
    equal,
    blocks: seeds.size,
    blocks_with_one_seed: oneSeed,
    policies,
    completed: completed.length,
    proven,
    at_once: atOnce,
  };
  const because = [
    `${equal} of ${paired.length} trials gave the same bytes when forked from a shared machine and when executed alone from power-on`,
    `in ${oneSeed} of ${seeds.size} blocks all ${policies} policies met the same seed`,
    `for ${proven} of ${completed.length} completed trials the kernel named the state of its scheduler before and after the run`,
    `up to ${atOnce} machines ran at the same time`,
  ];
  const all = [
    equal === forked.records.length && paired.length > 0,
    oneSeed === seeds.size && seeds.size >= 2,
    proven === completed.length && completed.length > 0,
    atOnce >= 2,
  ];
  const held = all.filter(Boolean).length;
  return {
    verdict: held === all.length ? 'reproduced' : (all[0] ?? false) ? 'partly' : 'not reproduced',
    because:
      held === all.length ? because : [...because, `${percent(held / all.length)} of the conditions hold`],
    numbers,
  };
}

function keyOf({ block, seed, workload, variant, point, policy, role }: TrialRecord): string {
  return JSON.stringify([block, seed, workload, variant, point, policy, role]);
}

/** Most trials that overlap on the host's clock. */
function mostAtOnce(records: readonly TrialRecord[]): number {
  const events = records
    .flatMap(({ host }) => {
      const from = Date.parse(host.startedAt);
      return [
        { at: from, change: 1 },
        { at: from + 1000 * host.seconds, change: -1 },
      ];
    })
    .sort((a, b) => a.at - b.at || a.change - b.change);
  let now = 0;
  let most = 0;
  for (const { change } of events) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}
