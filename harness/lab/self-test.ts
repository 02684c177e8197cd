// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Orders } from './engine.ts';
import type { ForkLab } from './fork/fork-point.ts';
import type { ReadyImage } from './image.ts';
import { IMAGE_FILES } from './image-files.ts';
import { exactMachine, labOrders } from './lab-machine.ts';
import { forkOf, idleForks, lastPart } from './self-test/fork-proof.ts';
import {
  idleCost,
  type Lived,
  type Measured,
  percent,
  reportOf,
  type SelfTestReport,
} from './self-test/report.ts';
import { requireShares, unitWork } from './self-test/unit-work.ts';
import { type Shares, shareSpread } from './shares.ts';
import { openSnapshotStore } from './snapshots/store.ts';
import { defaultHostDeadlineMs, vmEngine } from './vm-engine.ts';
import { writeJson } from './write-json.ts';

export { readSelfTest, requirePassed, type SelfTestReport } from './self-test/report.ts';

const VCPUS = [16, 8, 2, 1] as const;
/** Two boots and a fork of this size are compared block by block. */
const TWIN_VCPUS = 4;
/** Room for the one snapshot that is made. */
const SNAPSHOT_BYTES = 2 * 2 ** 30;

interface Options {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Machines at once. */
  readonly jobs: number;
}

/**
 * Proves an image on the exact engine: unit work takes equally long pinned to each vCPU alone, on all at once, and unpinned, with
 * 1 to 16 vCPUs; two boots execute the same blocks on the same vCPUs, and so does a fork after its fork point; idle time is
 * skipped. Keeps the report.
 */
export async function selfTest(image: ReadyImage, options: Options): Promise<SelfTestReport> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-selftest-'));
  try {
    const report = reportOf(image.digest, await measure(image, folder, options));
    await writeJson(join(image.folder, IMAGE_FILES.selfTest), report);
    return report;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(image: ReadyImage, folder: string, options: Options): Promise<Measured> {
  const { say, signal } = options;
  const shares: Record<string, Shares> = {};
  const spread: Record<string, number> = {};
  const twins: (Lived & { readonly whole: string })[] = [];
  let fork: Lived | undefined;
  let idle: Measured['idle'] | undefined;

  const boot = async (vcpus: number, orders: Orders): Promise<Lived & { readonly whole: string }> => {
    let whole = '';
    const onHash = (text: string) => {
      whole = text.trim();
    };
    const engine = vmEngine('exact', image, {
      hostDeadlineMs: defaultHostDeadlineMs,
      ...(vcpus === TWIN_VCPUS ? { onHash } : {}),
    });
    const outcome = await engine.runTrial(orders, exactMachine(vcpus), join(folder, orders.trial), signal);
    const found = requireShares(outcome, vcpus, image);
    shares[vcpus] = found;
    spread[vcpus] = shareSpread(found);
    say(`${vcpus} vCPUs: equal within ${percent(spread[vcpus])}`);
    return {
      whole: whole || `${orders.trial}: no hash`,
      hash: lastPart(orders.trial, whole),
      transcript: outcome.transcript,
    };
  };
  const forks = async () => {
    const store = await openSnapshotStore(folder, { limitBytes: SNAPSHOT_BYTES, signal });
    const lab: ForkLab = { accelerator: 'exact', image, store, hostDeadlineMs: defaultHostDeadlineMs };
    const place = { folder: join(folder, 'forks'), signal };
    fork = await forkOf(lab, twinOrders('fork'), TWIN_VCPUS, place);
    idle = await idleForks(lab, TWIN_VCPUS, place);
    say(`an idle second takes ${idleCost(idle).toFixed(3)} s on the host`);
  };
  // The longest first, so that the end does not wait for it.
  const [largest, ...others] = VCPUS.map(
    (vcpus) => () => boot(vcpus, labOrders(`v${vcpus}`, unitWork(vcpus))),
  );
  const twin = (name: string) => async () => twins.push(await boot(TWIN_VCPUS, twinOrders(name)));
  await inTurn([largest, forks, twin('twin-0'), twin('twin-1'), ...others], options.jobs);

  const [first, second] = twins;
  if (!first || !second || !fork || !idle) throw new Error('the self-test lost a machine');
  if (first.whole === second.whole) say('two boots executed the same blocks on the same vCPUs');
  if (first.hash === fork.hash && first.transcript === fork.transcript) {
    say('a fork executed the same blocks as its boot, and said the same');
  }
  return {
    twins: [first.whole, second.whole],
    shares,
    spread,
    fork: { boot: { hash: first.hash, transcript: first.transcript }, fork },
    idle,
  };
}

/** Messages between many processes on all vCPUs, then unit work: twins must agree in both. */
function twinOrders(trial: string): Orders {
  const script = '/usr/bin/hackbench -p -g 1 -l 20 && exec "$@"';
  return labOrders(trial, ['/bin/sh', '-c', script, 'sh', ...unitWork(TWIN_VCPUS)]);
}

/** Does all of `tasks`, at most `jobs` at once. When one fails the others that run are waited for: their folders are in use. */
async function inTurn(tasks: readonly (undefined | (() => Promise<unknown>))[], jobs: number): Promise<void> {
  const next = tasks.values();
  const workers = Array.from({ length: jobs }, async () => {
    for (const one of next) await one?.();
  });
  const failed = (await Promise.allSettled(workers)).find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
