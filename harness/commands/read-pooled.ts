// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { withEnergy } from '../../analysis/objectives/energy.ts';
import type { PooledRun } from '../../analysis/tables/pool-runs.ts';
import type { Provenance } from '../store/provenance.ts';
import { readRun } from '../store/run-folder.ts';
import { slimRecords } from '../store/slim-record.ts';
import type { CommandContext } from './context.ts';
import { findRun } from './find-run.ts';

/** A run that an analysis takes, and its folder. */
export interface ReadRun extends PooledRun {
  readonly folder: string;
  readonly provenance: Provenance;
  /** What was odd about it, in words. */
  readonly notices: readonly string[];
}

/** Reads the run that `name` means, without what its programs printed. Says on stderr what was odd about it. */
export async function readPooled(name: string, context: CommandContext): Promise<ReadRun> {
  const folder = await findRun(name, join(context.root, 'results', 'runs'));
  const { spec, plan, records, notices, provenance } = await readRun(folder, slimRecords());
  for (const notice of notices) context.warn(`pmvx: ${notice}`);
  const { id, recipe } = provenance.image ?? {};
  return {
    ...{ folder, provenance, notices },
    run: provenance.run,
    spec,
    planned: plan.trials,
    records: withEnergy(records, spec.machine.vcpus),
    image: id ?? recipe ?? 'no image',
    host: JSON.stringify(provenance.host ?? {}),
  };
}
