// SPDX-License-Identifier: Apache-2.0
// node harness/runtime/bench.ts: from the counters of a window to the line of its decision, with the reference map; CPU time matters,
// so a machine with other work gives higher figures.
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Bench } from 'tinybench';
import { FEATURES_VERSION } from '../../analysis/features/definition.ts';
import { halfBusy } from '../../analysis/features/sample-counted.ts';
import { windowVector } from '../../analysis/features/window-vector.ts';
import { settleCalibrations } from '../../analysis/policy-map/choose/calibration.ts';
import { readEvidenceLines } from '../../analysis/policy-map/evidence-lines.ts';
import { openMap } from '../../analysis/policy-map/open-map.ts';
import type { Window } from './contracts.ts';
import { GUARD_DEFAULTS } from './guard/config.ts';
import { INITIAL } from './guard/state.ts';
import { type GuardContext, step } from './guard/step.ts';
import { Journal } from './journal/journal.ts';
import { MapSelector } from './select/map-selector.ts';
import { systemClock } from './sense/clock.ts';
import { healthOf } from './sense/health.ts';

const REFERENCE = resolve(import.meta.dirname, '../../results/reference/policy-map.jsonl');
const CPUS = 4;

const folder = mkdtempSync(join(tmpdir(), 'pmvx-runtime-bench-'));
const path = join(folder, 'map.db');
const { kind, evidence } = await readEvidenceLines(createReadStream(REFERENCE), REFERENCE);
const map = await openMap(path, kind);
await map.learn(evidence, settleCalibrations);
const [machine] = await map.machines();
await map.close();
if (machine === undefined) throw new Error('the reference map knows no machine');

const selector = await MapSelector.open({
  map: path,
  machine,
  objective: 'primary',
  available: () => true,
  prefer: 0.02,
  stay: 0.1,
});
const journal = Journal.open({
  path: join(folder, 'journal.jsonl'),
  clock: systemClock,
  life: 'bench',
  mostBytes: 1 << 26,
  keep: 1,
});
const context: GuardContext = { config: GUARD_DEFAULTS, kernel: machine.kernel, versionOf: () => '1' };
const counters = Object.fromEntries(
  Object.entries(halfBusy().sets).map(([set, values]) => [set, { ns: 1e9, missed: 0, counters: values }]),
);
const nobody = new Set<string>();
let state = INITIAL;
let index = 0;

function windowNow(): Window {
  const vector = windowVector(counters, CPUS);
  const health = healthOf(counters, { cpu: 0.5, io: 0, memory: 0 }, 1e9, CPUS);
  const window = { index: index++, beganNs: systemClock.nowNs(), ms: 1000, counters, health };
  if (vector.kind === 'unknown') throw new Error(vector.why);
  return { ...window, vector: { features: FEATURES_VERSION, values: vector.values } };
}

async function decide(): Promise<void> {
  const window = windowNow();
  const selection = await selector.select(window, { policy: state.policy, excluded: nobody });
  const { health, vector } = window;
  const nowNs = systemClock.nowNs();
  const seen = { health, vector: vector?.values };
  const verdict = step(state, { kind: 'window', nowNs, seen, selection, canLog: true }, context);
  // What would be switched to is not: the next window is decided in the same state.
  state = { ...verdict.state, switchesNs: [], candidate: undefined };
  const { action, rule, because } = verdict;
  journal.write({
    kind: 'decision',
    window: { index: window.index, ms: window.ms, health },
    ...(vector === undefined ? {} : { vector }),
    selection,
    rule,
    because,
    action,
    from: state.policy,
    to: state.policy,
    dry: true,
    decidedMs: 0,
  });
}

const window = windowNow();
const bench = new Bench({ time: 2000, warmupTime: 500 })
  .add('a decision: vector, map, guard, journal', decide)
  .add('  of it the vector and health of a window', () => void windowNow())
  .add('  of it asking the map', async () => {
    await selector.select(window, { policy: 'eevdf', excluded: nobody });
  });
await bench.run();
console.table(
  bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`${name} ${result.state}`);
    const { latency } = result;
    const ms = (value: number) => Number(value.toFixed(3));
    return {
      path: name,
      'median ms': ms(latency.p50),
      'p99 ms': ms(latency.p99),
      'longest ms': ms(latency.max),
      times: latency.samplesCount,
    };
  }),
);
await selector.close();
await journal.close();
rmSync(folder, { recursive: true, force: true });
