// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Orders } from './engine.ts';
import type { ForkLab } from './fork/fork-point.ts';
import type { ReadyImage } from './image.ts';
import { IMAGE_FILES } from './image-files.ts';
import { exactMachine, labOrders } from './lab-machine.ts';
import type { HostPlay } from './machine-process.ts';
import { forkOf, idleForks, lastPart } from './self-test/fork-proof.ts';
import { PAUSE_MS, type Pauses, pauseAgainAndAgain } from './self-test/pauses.ts';
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
/** A boot of some 20 s is paused throughout, and so is a fork of some 4 s. */
const BOOT_PAUSES: Pauses = { runMs: [200, 500], pauseMs: PAUSE_MS, most: 60 };
const FORK_PAUSES: Pauses = { runMs: [20, 100], pauseMs: PAUSE_MS, most: 60 };
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
 * 1 to 16 vCPUs; two boots, one of them paused again and again, execute the same blocks on the same vCPUs, and so does a fork after
 * its fork point, paused and as on a lesser host; idle time is skipped. Keeps the report.
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

  const boot = async (
    vcpus: number,
    orders: Orders,
    play: HostPlay = {},
  ): Promise<Lived & { readonly whole: string }> => {
    let whole = '';
    const onHash = (text: string) => {
      whole = text.trim();
    };
    const engine = vmEngine('exact', image, {
      hostDeadlineMs: defaultHostDeadlineMs,
      play,
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
    fork = await disturbed(FORK_PAUSES, (play) =>
      forkOf(lab, twinOrders('fork'), TWIN_VCPUS, place, { ...play, plainHost: true }),
    );
    idle = await idleForks(lab, TWIN_VCPUS, place);
    say(`an idle second takes ${idleCost(idle).toFixed(3)} s on the host`);
  };
  // The longest first, so that the end does not wait for it.
  const [largest, ...others] = VCPUS.map(
    (vcpus) => () => boot(vcpus, labOrders(`v${vcpus}`, unitWork(vcpus))),
  );
  const twin = async () => twins.push(await boot(TWIN_VCPUS, twinOrders('twin')));
  const pausedTwin = () =>
    disturbed(BOOT_PAUSES, async (play) =>
      twins.push(await boot(TWIN_VCPUS, twinOrders('paused-twin'), play)),
    );
  await inTurn([largest, forks, pausedTwin, twin, ...others], options.jobs);

  const [first, second] = twins;
  if (!first || !second || !fork || !idle) throw new Error('the self-test lost a machine');
  if (first.whole === second.whole && first.transcript === second.transcript) {
    say('two boots, one of them paused again and again, executed the same blocks on the same vCPUs');
  }
  if (first.hash === fork.hash && first.transcript === fork.transcript) {
    say('a fork, paused and as on a lesser host, executed the same blocks as its boot, and said the same');
  }
  return {
    twins: [first.whole, second.whole],
    shares,
    spread,
    fork: { boot: { hash: first.hash, transcript: first.transcript }, fork },
    idle,
  };
}

/** Has a machine paused while it runs. */
async function disturbed<T>(pauses: Pauses, run: (play: HostPlay) => Promise<T>): Promise<T> {
  const over = new AbortController();
  let pausing: Promise<number> | undefined;
  const onStarted = (pid: number) => {
    pausing = pauseAgainAndAgain(pid, pauses, Math.random, over.signal);
  };
  try {
    return await run({ onStarted });
  } finally {
    over.abort();
    await pausing;
  }
}

/**
 * Messages between many processes on all vCPUs, what the guest sees of the emulator's cache of addresses and of the host's arithmetic,
 * then unit work: twins must agree in all.
 */
function twinOrders(trial: string): Orders {
  const witness = '/opt/pmvx/bin/witness';
  const script = `/usr/bin/hackbench -p -g 1 -l 20 && ${witness} pages 4 12 && ${witness} x87 20000 && exec "$@"`;
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
