// SPDX-License-Identifier: Apache-2.0
// A day on the real host: what `pmvx replay --engine native` starts there, started in a guest whose kernel has sched_ext.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../../core/load-catalog.ts';
import { readReport } from '../../lab/native/report.ts';
import { parseArms } from '../../replay/arms.ts';
import { dayInputs } from '../../replay/day-inputs.ts';
import { readDayOutput } from '../../replay/day-output.ts';
import type { NativeDay } from '../../replay/guest/native.ts';
import { guestOrders } from '../../replay/guest-program.ts';
import { parseDay } from '../../replay/read-day.ts';
import { PLAN_PATH } from '../../replay/replay-plan.ts';
import { reactionsOf } from '../../replay/result/daemon-facts.ts';
import { sceneMap } from '../../runtime/mcp/scene.ts';
import { ROOT, runInGuest } from './stage.ts';

const ORDERS = '/run/native-day.json';
const DAY = `
name: native
machine: { engine: native, vcpus: 2 }
phases:
  - name: messages
    parts: [{ use: hackbench, with: { groups: 1, loops: 30 }, rounds: 3 }]
  - name: stages
    parts: [{ use: stage-pipeline, with: { items: 200 }, rounds: 2 }]
`;

test('on a host with sched_ext a static arm is applied by the daemon, stays through the day, and leaves with it', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-native-day-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const catalog = await loadCatalog(ROOT);
  const day = parseDay(DAY, 'native.yaml', catalog);
  const arms = parseArms('static:pmvx_chain', catalog);
  const { map } = await sceneMap(scratch);
  const inputs = dayInputs({ root: ROOT, day, arms, catalog, map: await readFile(map) });
  const arm = arms.find(({ kind }) => kind === 'static');
  if (arm === undefined) return t.fail();
  const told: NativeDay = {
    root: '/dev/pmem0',
    cpus: [0, 1],
    launcher: await readFile(join(ROOT, 'harness/lab/native/launch.pl'), 'utf8'),
    seed: 7,
    deadlineMs: 240_000,
    warmup: [],
    run: ['/opt/pmvx/runtime/bin/day', PLAN_PATH, '7'],
    files: inputs.filesOf(arm).map(({ path, content }) => ({ path, base64: content.toString('base64') })),
  };
  const orders = await guestOrders(ROOT, {
    entry: 'harness/replay/guest/native.ts',
    args: [ORDERS],
    policies: [],
    map,
    deadlineMs: 300_000,
  });
  const files = [...(orders.files ?? []), { path: ORDERS, content: Buffer.from(JSON.stringify(told)) }];
  // On real time: a root that is mounted and left again is flushed, which `exact` refuses.
  const printed = await runInGuest({ ...orders, files }, 2, join(scratch, 'native'), 'tcg');
  const last = printed.trim().split('\n').at(-1) ?? '';
  const { report, output, after } = JSON.parse(last) as { report: string; output: string; after: object };
  t.like(readReport(report).result, { exit: 0, timedOut: false }, output);
  const lived = readDayOutput(output);
  t.like(after, { state: 'disabled' });
  t.is(lived.helper?.exit, 0, JSON.stringify(lived.helper, null, 1));
  const rounds = lived.phases.flatMap(({ parts }) => parts.flat());
  t.deepEqual(
    rounds.map(({ ops, exit }) => [ops, exit]),
    rounds.map(() => ['pmvx_chain', 0]),
    lived.helper?.said.join('\n'),
  );
  for (const phase of reactionsOf({ arm: arm.id, block: 0, lived, costs: new Map() }))
    t.like(phase, { from: arm.id, to: arm.id, switches: 0 });
});
