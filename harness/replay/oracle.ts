// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import type { TrialRecord } from '../core/trial.ts';
import type { Arm } from './arms.ts';
import type { Day } from './day.ts';
import { readDayOutput } from './day-output.ts';
import { costRatio, phaseCosts } from './phase-costs.ts';

/** The best policy of each phase in the order of one block, and where it must be asked for: when it is another than before. */
export interface Foresight {
  readonly best: Readonly<Record<string, string>>;
  /** Policy to switch to when a phase begins; a phase before which nothing changes is absent. */
  readonly switches: Readonly<Record<string, string>>;
}

/**
 * What perfect knowledge of a block would choose among EEVDF and the static arms: the least cost of each phase, of equal ones the first
 * arm. Undefined when EEVDF did not complete, for then there is nothing to compare with.
 */
export function foresee(
  day: Day,
  arms: readonly Arm[],
  records: readonly TrialRecord[],
  catalog: Pick<Catalog, 'workloads'>,
): Foresight | undefined {
  const lived = new Map(
    records.flatMap((record) =>
      record.state === 'completed' ? [[record.policy, readDayOutput(record.output ?? '')] as const] : [],
    ),
  );
  const base = lived.get('eevdf');
  if (base === undefined) return undefined;
  const baseCosts = phaseCosts(day, base, catalog);
  const known = arms.flatMap(({ kind, id }) => {
    const own = lived.get(id);
    return (kind === 'static' || kind === 'eevdf') && own !== undefined
      ? [{ id, costs: phaseCosts(day, own, catalog) }]
      : [];
  });
  const best: Record<string, string> = {};
  const switches: Record<string, string> = {};
  let before = 'eevdf';
  for (const { name } of base.phases) {
    const ratio = (costs: ReturnType<typeof phaseCosts>) =>
      costRatio(costs.get(name) ?? [], baseCosts.get(name) ?? []);
    const chosen = known.reduce((least, each) => (ratio(each.costs) < ratio(least.costs) ? each : least)).id;
    best[name] = chosen;
    if (chosen !== before) switches[name] = chosen;
    before = chosen;
  }
  return { best, switches };
}
