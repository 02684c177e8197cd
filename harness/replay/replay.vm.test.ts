// SPDX-License-Identifier: Apache-2.0
// The daemon in a real guest, led by a map that lies to a scheduler that stalls: the kernel throws it out, the daemon says so and stays away.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FEATURES, FEATURES_VERSION } from '../../analysis/features/definition.ts';
import { settleCalibrations } from '../../analysis/policy-map/choose/calibration.ts';
import type { Evidence } from '../../analysis/policy-map/evidence.ts';
import { openMap } from '../../analysis/policy-map/open-map.ts';
import { loadCatalog } from '../core/load-catalog.ts';
import type { Policy } from '../core/policy.ts';
import type { Workload } from '../core/workload.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { defaultHostDeadlineMs, vmEngine } from '../lab/vm-engine.ts';
import { pmvx, ROOT, runOne } from '../run/vm/stage.ts';
import { SLOTS, withSlots } from '../run/vm/vm-slots.ts';
import { EEVDF_ARM } from './arms.ts';
import { dayEngine } from './day-engine.ts';
import { dayInputs } from './day-inputs.ts';
import { readDayOutput } from './day-output.ts';
import { readDay } from './read-day.ts';
import { planReplay } from './replay-plan.ts';

const STALL = 'made-up-stall';
const AUTO = { kind: 'auto', id: 'auto' } as const;

/**
 * A map that lies: whatever the system looks like, the stalling scheduler halves the cost. Its situations lie along every axis, as far
 * from each other as can be, so that no window is farther away.
 */
async function lyingMap(folder: string, kernel: string): Promise<Buffer> {
  const run = 'lies';
  const createdAt = '2026-01-01T00:00:00.000Z';
  const machine = {
    engine: 'exact',
    kernel,
    nodes: 1,
    sockets: 1,
    cores: 4,
    threads: 1,
    cpu: '250 MIPS',
  } as const;
  const situations = FEATURES.flatMap((_, axis) =>
    [1, -1].flatMap((sign, at): Evidence[] => {
      const facts = {
        run,
        workload: `w${axis}-${at}`,
        variant: 'v',
        point: 'quiescent',
        at: createdAt,
      } as const;
      const vector = FEATURES.map((_feature, each) => (each === axis ? sign : 0));
      const [base, other] = [0, 1].map((trial) => String(4 * axis + 2 * at + trial).padStart(4, '0')) as [
        string,
        string,
      ];
      const costs = { logCosts: { primary: -0.7 }, failed: false, state: 'completed' } as const;
      return [
        { kind: 'observation', ...facts, trial: base, policy: 'eevdf', window: -1, vector },
        {
          kind: 'outcome',
          ...facts,
          trial: other,
          policy: STALL,
          baseline: base,
          block: 0,
          seed: 1,
          ...costs,
        },
      ];
    }),
  );
  const path = join(folder, 'map.db');
  const map = await openMap(path, { features: FEATURES_VERSION, dimensions: FEATURES.length });
  await map.learn([{ kind: 'run', run, machine, createdAt }, ...situations], settleCalibrations);
  await map.close();
  return readFile(path);
}

test('a scheduler that stalls is thrown out by the kernel; the daemon tells of it, keeps away, and the day goes on', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-replay-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  await withSlots(SLOTS, async () => {
    const { exitCode, all } = await pmvx('image', 'build', 'runtime');
    t.is(exitCode, 0, all);
  });
  const catalog = await loadCatalog(ROOT);
  const day = await readDay(join(ROOT, 'harness/replay/days/stalling-day.yaml'), catalog);
  const arms = [EEVDF_ARM, AUTO];
  const image = await requireImage(ROOT, cacheFolder(process.env), 'runtime');
  const map = await lyingMap(scratch, image.manifest.guestKernel);
  const inputs = dayInputs({ root: ROOT, day, arms, catalog, map });
  const options = { arms, seeds: { base: 1, count: 1 }, inputs: inputs.digests, deadlineS: 300 };
  const { spec, plan, catalog: known } = planReplay(day, catalog, options);
  const engine = vmEngine('exact', image, { hostDeadlineMs: defaultHostDeadlineMs });
  const trial = { ...plan.trials[0], trial: '0000', policy: AUTO.id } as (typeof plan.trials)[number];
  const { record } = await withSlots(1, () =>
    runOne({
      engine: dayEngine(engine, {
        ...{ day, arms, trials: [trial], inputs, catalog: known, log: { records: [] } },
        whole: async () => [],
      }),
      machine: spec.machine,
      policy: known.policies.get(AUTO.id) as Policy,
      workload: known.workloads.get(day.name) as Workload,
      params: spec.workloads[0]?.params ?? {},
      consoles: scratch,
    }),
  );
  if (record.state !== 'completed') return t.fail(JSON.stringify(record));
  t.is(record.schedAfter?.state, 'disabled');
  const { helper, phases } = readDayOutput(record.output ?? '');
  const journal = helper?.journal ?? [];
  t.is(helper?.exit, 0);
  t.true(phases[0]?.parts[0]?.every(({ exit }) => exit === 0));
  const chosen = journal.findIndex((line) => line.kind === 'decision' && line.to === STALL);
  const departed = journal.findIndex((line) => line.kind === 'event' && line.event === 'departed');
  const told = journal.map((line) =>
    line.kind === 'decision' ? `${line.rule}: ${line.selection.why}` : line.kind,
  );
  t.true(chosen >= 0 && departed > chosen, [...(helper?.said ?? []), ...told].join('\n'));
  const event = journal[departed];
  t.regex(event?.kind === 'event' ? event.what : '', /^made-up-stall stalled: .*stall/);
  // The map still praises it; nobody goes there again.
  const later = journal.slice(departed + 1).filter((line) => line.kind === 'decision');
  t.true(later.length > 0);
  t.true(later.every((line) => line.kind === 'decision' && line.to === 'eevdf'));
});
