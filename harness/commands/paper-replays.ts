// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canDrift } from '../../analysis/stats/evidence.ts';
import type { Claims } from '../../paper-figs/claims/claims.ts';
import type { ReplayFigures } from '../../paper-figs/claims/replay-figures.ts';
import type { Catalog } from '../core/catalog.ts';
import { type Arm, EEVDF_ARM } from '../replay/arms.ts';
import type { Day } from '../replay/day.ts';
import { costRatio } from '../replay/phase-costs.ts';
import { namesOf } from '../replay/result/compare-arms.ts';
import { daemonFacts } from '../replay/result/daemon-facts.ts';
import { dayOf, livedArms } from '../replay/result/lived-arms.ts';
import { parseJson } from '../store/run-description.ts';
import { readRun } from '../store/run-folder.ts';

/** Figures of the replays that claims name, as far as they are there, from their records. */
export async function keptReplays(
  claims: Claims,
  root: string,
  catalog: Pick<Catalog, 'workloads'>,
): Promise<ReadonlyMap<string, ReplayFigures>> {
  const replays = new Map<string, ReplayFigures>();
  for (const [name, below] of Object.entries(claims.replays)) {
    const folder = join(root, below);
    if (existsSync(join(folder, 'day.json'))) replays.set(name, await replayFigures(folder, catalog));
  }
  return replays;
}

async function replayFigures(folder: string, catalog: Pick<Catalog, 'workloads'>): Promise<ReplayFigures> {
  const path = join(folder, 'day.json');
  const { day, arms } = parseJson<{ day: Day; arms: Arm[] }>(await readFile(path, 'utf8'), path);
  const { records } = await readRun(folder);
  const lived = livedArms(day, arms, records, catalog);
  const phases = namesOf(day);
  return {
    day: day.name,
    drifts: canDrift(day.machine.engine),
    phases,
    arms: arms.map(({ id, kind }) => ({ id, kind })),
    blocks: lived.days.flatMap(({ arm, block, costs }) => {
      const usual = dayOf(lived, EEVDF_ARM.id, block)?.costs;
      if (usual === undefined) return [];
      const logCosts = phases.map((phase) =>
        Math.log(costRatio(costs.get(phase) ?? [], usual.get(phase) ?? [])),
      );
      return [{ arm, block, logCosts }];
    }),
    daemons: lived.days
      .filter(({ arm }) => arm === 'auto')
      .flatMap((each) => {
        const facts = daemonFacts(each);
        if (facts === undefined) return [];
        const { switches, windows, novel, gapMostMs } = facts;
        return [{ switches, windows, novel, ...(gapMostMs === undefined ? {} : { gapMostMs }) }];
      }),
    lost: lived.lost,
  };
}
