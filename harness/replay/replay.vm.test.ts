// SPDX-License-Identifier: Apache-2.0
// The daemon in a real guest, led by a map that lies to a scheduler that stalls: the kernel throws it out, the daemon says so and stays away.
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { settleCalibrations } from '../../analysis/policy-map/choose/calibration.ts';
import type { Evidence } from '../../analysis/policy-map/evidence.ts';
import { readEvidenceLines } from '../../analysis/policy-map/evidence-lines.ts';
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

/** The reference's map with one change: whatever the system looks like, the stalling scheduler halves the cost. */
async function lyingMap(folder: string): Promise<Buffer> {
  const reference = join(ROOT, 'results/reference/policy-map.jsonl');
  const { kind, evidence } = await readEvidenceLines(createReadStream(reference), reference);
  const lies: Evidence[] = [];
  for await (const each of evidence) {
    if (each.kind !== 'outcome') lies.push(each);
    else if (each.policy === 'scx_simple')
      lies.push({ ...each, policy: STALL, state: 'completed', failed: false, logCosts: { primary: -0.7 } });
  }
  const path = join(folder, 'map.db');
  const map = await openMap(path, kind);
  await map.learn(lies, settleCalibrations);
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
  const inputs = dayInputs({ root: ROOT, day, arms, catalog, map: await lyingMap(scratch) });
  const options = { arms, seeds: { base: 1, count: 1 }, inputs: inputs.digests, deadlineS: 300 };
  const { spec, plan, catalog: known } = planReplay(day, catalog, options);
  const image = await requireImage(ROOT, cacheFolder(process.env), 'runtime');
  const engine = vmEngine('exact', image, { hostDeadlineMs: defaultHostDeadlineMs });
  const trial = { ...plan.trials[0], trial: '0000', policy: AUTO.id } as (typeof plan.trials)[number];
  const { record } = await withSlots(1, () =>
    runOne({
      engine: dayEngine(engine, { day, arms, trials: [trial], inputs, catalog: known, log: { records: [] } }),
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
  t.true(chosen >= 0 && departed > chosen, helper?.said.join('\n'));
  const event = journal[departed];
  t.regex(event?.kind === 'event' ? event.what : '', /^made-up-stall stalled: .*stall/);
  // The map still praises it; nobody goes there again.
  const later = journal.slice(departed + 1).filter((line) => line.kind === 'decision');
  t.true(later.length > 0);
  t.true(later.every((line) => line.kind === 'decision' && line.to === 'eevdf'));
});
