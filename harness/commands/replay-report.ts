// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import type { Arm } from '../replay/arms.ts';
import type { Day } from '../replay/day.ts';
import { phasesOfClasses } from '../replay/result/compare-arms.ts';
import { dayTimeline } from '../replay/result/day-timeline.ts';
import { livedArms } from '../replay/result/lived-arms.ts';
import { replayMarkdown } from '../replay/result/replay-markdown.ts';
import {
  comparisonsCsv,
  daemonCsv,
  reactionsCsv,
  replayJson,
  replayResult,
} from '../replay/result/replay-tables.ts';
import { stableJson, writeAtomic } from '../store/atomic-write.ts';
import { readRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';

export interface ReplayFolder {
  readonly folder: string;
  readonly day: Day;
  readonly arms: readonly Arm[];
  readonly catalog: Pick<Catalog, 'workloads' | 'policies'>;
}

/** Classes whose phases the issue of scheduling is most about. */
const GAIN_CLASSES = ['ipc', 'pipeline', 'network'];

/** Writes what follows from a replay's records beside them, and prints it. */
export async function reportReplay(
  { folder, day, arms, catalog }: ReplayFolder,
  context: CommandContext,
): Promise<void> {
  const { records } = await readRun(folder);
  const lived = livedArms(day, arms, records, catalog);
  const classOf = (workload: string) => catalog.workloads.get(workload)?.definition.class;
  const result = replayResult(day, arms, lived, phasesOfClasses(day, classOf, GAIN_CLASSES));
  const markdown = replayMarkdown(day, arms, result);
  await writeAtomic(join(folder, 'day.json'), stableJson({ day, arms }));
  await writeAtomic(join(folder, 'replay.json'), stableJson(replayJson(day, result)));
  await writeAtomic(join(folder, 'phases.csv'), comparisonsCsv(result));
  await writeAtomic(join(folder, 'reactions.csv'), reactionsCsv(result));
  await writeAtomic(join(folder, 'daemon.csv'), daemonCsv(result));
  await writeAtomic(join(folder, 'replay.md'), markdown);
  const queue = lived.days.flatMap(({ lived: { helper } }) => helper?.queue ?? []);
  if (queue.length > 0) {
    await writeAtomic(join(folder, 'queue.jsonl'), queue.map((line) => `${line}\n`).join(''));
  }
  const [block] = [...new Set(records.map((record) => record.block))].sort((a, b) => a - b);
  const timeline = block === undefined ? undefined : dayTimeline(day, lived, block, catalog);
  if (block !== undefined && timeline !== undefined) {
    // The drawing library takes a while to load.
    const [{ dayFigure }, { writeFigure }] = await Promise.all([
      import('../../paper-figs/figures/day.ts'),
      import('./figures.ts'),
    ]);
    await writeFigure({ name: 'day', spec: dayFigure({ day: day.name, block, ...timeline }) }, folder);
  }
  context.write('');
  for (const line of markdown.trimEnd().split('\n')) context.write(line);
}
