// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Seed } from '../core/seed.ts';
import type { Machine } from '../core/spec.ts';
import type { GuestOutcome, Orders } from './engine.ts';
import type { ReadyImage } from './image.ts';
import { IMAGE_FILES } from './image-files.ts';
import { type Shares, shareSpread } from './shares.ts';
import { defaultHostDeadlineMs, vmEngine } from './vm-engine.ts';
import { writeJson } from './write-json.ts';

/** Largest accepted difference between the slowest and the fastest vCPU, as a share of the fastest. */
export const MAX_SPREAD = 0.01;
const VCPUS = [1, 2, 4, 8] as const;
/** Two machines of this size are compared block by block. */
const TWIN_VCPUS = 4;
const SEED = 7 as Seed;
/** Rounds of one piece of unit work: about 72,000 instructions, so that a turn more or less counts little. */
const ROUNDS = 6000;

/** What the self-test measured; `selftest.json` beside the image. */
export interface SelfTestReport {
  readonly v: 1;
  /** The image that was tested. */
  readonly digest: string;
  readonly passed: boolean;
  readonly faults: readonly string[];
  /** Hash over every executed block and its vCPU, of two boots at the same time. */
  readonly twins: readonly string[];
  /** Times of one piece of work, picoseconds, by number of vCPUs. */
  readonly shares: Readonly<Record<string, Shares>>;
  /** (slowest - fastest) / fastest over all times of a machine. */
  readonly spread: Readonly<Record<string, number>>;
}

/** The kept report of an image; absent when it was never tested as it is now. */
export async function readSelfTest(
  image: Pick<ReadyImage, 'folder' | 'digest'>,
): Promise<SelfTestReport | undefined> {
  const path = join(image.folder, IMAGE_FILES.selfTest);
  if (!existsSync(path)) return undefined;
  try {
    const report = JSON.parse(await readFile(path, 'utf8')) as SelfTestReport;
    return report.v === 1 && report.digest === image.digest ? report : undefined;
  } catch {
    return undefined;
  }
}

/** Throws unless `report` says that the image may be used on the exact engine. */
export function requirePassed(report: SelfTestReport, image: ReadyImage): void {
  if (report.passed) return;
  throw new PmvxError(ExitCode.image, {
    where: `image ${image.manifest.recipe}`,
    what: `failed its self-test: ${report.faults.join('; ')}`,
    next: `Nothing runs on \`exact\` with it. Build it anew with \`./pmvx image build ${image.manifest.recipe} --force\``,
  });
}

/**
 * Proves an image on the exact engine: two boots execute the same blocks on the same vCPUs, and unit work takes equally
 * long pinned to each vCPU alone, on all at once, and unpinned, with 1, 2, 4 and 8 vCPUs. Keeps the report.
 */
export async function selfTest(
  image: ReadyImage,
  options: { readonly say: (line: string) => void; readonly signal: AbortSignal; readonly jobs: number },
): Promise<SelfTestReport> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-selftest-'));
  const faults: string[] = [];
  const twins: string[] = [];
  const shares: Record<string, Shares> = {};
  const spread: Record<string, number> = {};
  const boot = async (vcpus: number, name: string): Promise<void> => {
    const hash: string[] = [];
    const engine = vmEngine('exact', image, {
      hostDeadlineMs: defaultHostDeadlineMs,
      ...(vcpus === TWIN_VCPUS ? { onHash: (line: string) => hash.push(line.trim()) } : {}),
    });
    const outcome = await engine.runTrial(
      unitOrders(name, vcpus),
      machine(vcpus),
      join(folder, name),
      options.signal,
    );
    if (vcpus === TWIN_VCPUS) twins.push(hash[0] || `${name}: no hash`);
    const found = requireShares(outcome, vcpus, image);
    shares[vcpus] = found;
    spread[vcpus] = shareSpread(found);
    options.say(`${vcpus} vCPUs: equal within ${(spread[vcpus] * 100).toFixed(2)} %`);
    if (spread[vcpus] > MAX_SPREAD) {
      faults.push(
        `${vcpus} vCPUs: shares differ by ${(spread[vcpus] * 100).toFixed(2)} %, at most 1 % is accepted`,
      );
    }
  };
  try {
    // The largest first, so that the end does not wait for it.
    const boots = [...VCPUS, TWIN_VCPUS]
      .sort((a, b) => b - a)
      .map((vcpus, at) => () => boot(vcpus, `v${vcpus}-${at}`));
    const next = boots.values();
    const workers = Array.from({ length: options.jobs }, async () => {
      for (const one of next) await one();
    });
    // All machines must be gone before their folders are.
    const ends = await Promise.allSettled(workers);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (twins[0] !== twins[1]) faults.push(`two boots differ: ${twins.join(' and ')}`);
  else options.say('two boots executed the same blocks on the same vCPUs');
  const report: SelfTestReport = {
    v: 1,
    digest: image.digest,
    passed: faults.length === 0,
    faults,
    twins,
    shares,
    spread,
  };
  await writeJson(join(image.folder, IMAGE_FILES.selfTest), report);
  return report;
}

function unitOrders(trial: string, vcpus: number): Orders {
  const words = 'self-test';
  return {
    trial,
    seed: SEED,
    policy: {
      id: 'eevdf',
      definition: { kind: 'builtin', summary: words, suits: words, weakness: words, source: words },
    },
    run: ['/opt/pmvx/bin/unitwork', String(vcpus), String(ROUNDS)],
    deadlineMs: 60_000,
  };
}

function machine(vcpus: number): Machine {
  return {
    engine: 'exact',
    vcpus,
    memoryMiB: 1024,
    speed: 1000 / vcpus,
    quantum: 5000,
    topology: { sockets: 1, cores: vcpus, threads: 1 },
  };
}

/**
 * The times that a guest printed. A machine that ended without them (killed, stalled, out of memory) proves nothing about the
 * image: that is an error, and no report is kept, so that the next call tests again.
 */
export function requireShares(
  outcome: GuestOutcome,
  vcpus: number,
  image: Pick<ReadyImage, 'manifest'>,
): Shares {
  const output = outcome.frames.find(({ kind }) => kind === 'output')?.payload.toString('utf8') ?? '';
  const times = (kind: string): number[] =>
    [...output.matchAll(new RegExp(`^${kind} \\d+ (\\d+)$`, 'gm'))].map((match) => Number(match[1]));
  const [alone, together, unpinned] = [times('alone'), times('together'), times('unpinned')];
  const complete = alone.length === vcpus && together.length === vcpus && unpinned.length === 1;
  if (outcome.ended === 'done' && complete) return { alone, together, unpinned: unpinned[0] as number };
  const told = [
    outcome.cause,
    output.slice(0, 200),
    outcome.consoleTail.trim().split('\n').slice(-3).join(' | '),
  ]
    .filter((words) => words !== undefined && words !== '')
    .join('; ');
  const how = outcome.ended === 'deadline' ? 'was stopped at its deadline' : 'ended';
  throw new PmvxError(ExitCode.image, {
    where: `image ${image.manifest.recipe}`,
    what: `could not be tested: a machine of ${vcpus} vCPUs ${how} without its times (${told})`,
    next: `Nothing is decided about the image; run \`./pmvx image selftest ${image.manifest.recipe}\` again`,
  });
}
