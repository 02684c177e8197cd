// SPDX-License-Identifier: Apache-2.0
// What tests of the agents' interface share: a web tier that got slow, its daemon with a real control socket, a real map, and a kernel that is a few variables.
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { settleCalibrations } from '../../../analysis/policy-map/choose/calibration.ts';
import type { Evidence, Machine } from '../../../analysis/policy-map/evidence.ts';
import { readEvidenceLines } from '../../../analysis/policy-map/evidence-lines.ts';
import { openMap } from '../../../analysis/policy-map/open-map.ts';
import { KernelActuator } from '../actuate/kernel-actuator.ts';
import type { Window } from '../contracts.ts';
import { openControl } from '../daemon/control-server.ts';
import { Daemon } from '../daemon/daemon.ts';
import { Latch } from '../daemon/latch.ts';
import { controlMethods } from '../daemon/methods.ts';
import { SCENE_GUARD, SceneClock, SceneKernel, sceneHealth } from '../daemon/scene.ts';
import { statusOf } from '../daemon/status.ts';
import { INITIAL } from '../guard/state.ts';
import { Journal } from '../journal/journal.ts';
import { MapSelector } from '../select/map-selector.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** What the load looks like: requests of nginx beside tasks that compute. */
export const REGIME = 'nginx-batch';
/** Schedulers that this machine has. */
export const SCHEDULERS = ['scx_rustland', 'scx_cosmos', 'pmvx_latency'];

/** Waiting for a CPU under EEVDF and under any of the schedulers, us: what the scene's kernel makes of the load. */
const SLOW_US = 16_384;
const FAST_US = 1024;
/** Real time between two windows of the scene, each a second of its clock. */
const PAUSE_MS = 20;

export interface WebTier {
  readonly map: string;
  readonly config: string;
  readonly socket: string;
  readonly journal: string;
}

/** The map that ships, imported, with the machine that it speaks of and a vector of {@link REGIME}. */
export async function sceneMap(folder: string): Promise<{ map: string; machine: Machine; vector: number[] }> {
  const file = join(ROOT, 'results/reference/policy-map.jsonl');
  const { kind, evidence } = await readEvidenceLines(createReadStream(file), file);
  const all: Evidence[] = [];
  for await (const each of evidence) all.push(each);
  const map = join(folder, 'map.db');
  const open = await openMap(map, kind);
  await open.learn(all, settleCalibrations);
  await open.close();
  const run = all.find((each) => each.kind === 'run');
  const seen = all.find((each) => each.kind === 'observation' && each.workload === REGIME);
  if (run?.kind !== 'run' || seen?.kind !== 'observation') throw new Error(`${file} has no ${REGIME}`);
  return { map, machine: run.machine, vector: [...seen.vector] };
}

/** Lives in `folder` until `signal`. The daemon waits for many windows before it acts by itself, so that an agent comes first. */
async function liveIn(folder: string, signal: AbortSignal, ready: (tier: WebTier) => void): Promise<void> {
  const { map, machine, vector } = await sceneMap(folder);
  const config = join(folder, 'autotune.yaml');
  await writeFile(config, JSON.stringify({ machine }));
  const [kernel, clock] = [new SceneKernel(), new SceneClock()];
  const path = join(folder, 'journal.jsonl');
  const journal = Journal.open({ path, clock, life: 'scene', mostBytes: 1 << 24, keep: 2 });
  const actuator = new KernelActuator({
    holders: new Map(SCHEDULERS.map((id) => [id, kernel.holder(id)])),
    readState: () => kernel.state,
    exits: () => kernel.takeExits(),
    clock,
    deadlineMs: 50,
    prepareMs: 5000,
  });
  const available = (policy: string) => actuator.policies.has(policy);
  const selector = await MapSelector.open({
    map,
    machine,
    objective: 'primary',
    prefer: 0.02,
    stay: 0.1,
    available,
  });
  let index = 0;
  const daemon = new Daemon({
    sensor: {
      async next(signal): Promise<Window> {
        await new Promise((done) => setTimeout(done, PAUSE_MS));
        signal.throwIfAborted();
        const beganNs = clock.ns;
        clock.ns += 1e9;
        const waitP99Us = kernel.state.state === 'enabled' ? FAST_US : SLOW_US;
        const health = sceneHealth({ waitP99Us, waitMeanUs: waitP99Us / 8 });
        return {
          index: index++,
          beganNs,
          ms: 1000,
          counters: {},
          vector: { features: 'features-1', values: vector },
          health,
        };
      },
      close: () => undefined,
    },
    selector,
    actuator,
    journal,
    latch: new Latch(join(folder, 'killed')),
    clock,
    guard: { ...SCENE_GUARD, windows: 1000 },
    kernel: machine.kernel,
    cpus: 4,
    dry: false,
    recalled: INITIAL,
    keep: () => undefined,
  });
  const status = () =>
    statusOf({
      daemon,
      actuator,
      clock,
      life: 'scene',
      dry: false,
      map: () => ({ source: map }),
      restingMs: () => undefined,
      faults: () => [],
    });
  const socket = join(folder, 'autotune.sock');
  const control = await openControl(
    socket,
    controlMethods({
      daemon,
      clock,
      policies: new Set(SCHEDULERS),
      recent: () => journal.recent,
      canLog: () => true,
      status,
      reload: async () => undefined,
      unguarded: () => false,
    }),
  );
  ready({ map, config, socket, journal: path });
  await daemon.run(signal);
  control.close();
  await selector.close();
  await journal.close();
}

/** Starts it in a process of its own, as a daemon is: it ends with this one, or by `stop`. */
export async function openWebTier(): Promise<WebTier & { stop(): Promise<void> }> {
  const child = spawn(process.execPath, [import.meta.filename], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  for await (const line of createInterface({ input: child.stdout })) {
    const stop = () => {
      child.stdin.end();
      return ended;
    };
    return { ...(JSON.parse(line) as WebTier), stop };
  }
  throw new Error('the scene did not start');
}

if (import.meta.main) {
  const end = new AbortController();
  process.stdin.on('end', () => end.abort(new Error('stopped'))).resume();
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-web-tier-'));
  try {
    await liveIn(folder, end.signal, (tier) => process.stdout.write(`${JSON.stringify(tier)}\n`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
