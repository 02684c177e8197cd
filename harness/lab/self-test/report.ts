// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { ReadyImage } from '../image.ts';
import { IMAGE_FILES } from '../image-files.ts';
import type { Shares } from '../shares.ts';

/** Version of the report. An image that was tested under another is tested again. */
export const REPORT_VERSION = 3;

/** Largest accepted difference between the slowest and the fastest vCPU, as a share of the fastest. */
const MAX_SPREAD = 0.01;

/** Idle time that costs more was not skipped. Host seconds for one virtual second; a busy host has room below it. */
export const MAX_IDLE_COST = 1;

/** What the self-test measured. */
export interface Measured {
  /** Block hash of two boots at the same time, as the plugin writes it. */
  readonly twins: readonly string[];
  /** Times of one piece of work, picoseconds, by number of vCPUs. */
  readonly shares: Readonly<Record<string, Shares>>;
  /** (slowest - fastest) / fastest over all times of a machine, by number of vCPUs. */
  readonly spread: Readonly<Record<string, number>>;
  /** A boot and a fork of the same trial: block hash after the fork point, and transcript. */
  readonly fork: { readonly boot: Lived; readonly fork: Lived };
  /** Two forks that sleep, one longer by `virtualSeconds`; it took `hostSeconds` more. */
  readonly idle: {
    readonly vcpus: number;
    readonly virtualSeconds: number;
    readonly hostSeconds: number;
  };
}

/** What a machine did after its fork point, and all that it said from power-on. */
export interface Lived {
  readonly hash: string;
  readonly transcript: string;
}

/** `selftest.json` beside the image. */
export interface SelfTestReport extends Measured {
  readonly v: typeof REPORT_VERSION;
  /** The image that was tested. */
  readonly digest: string;
  readonly passed: boolean;
  readonly faults: readonly string[];
}

/** What was measured, with the verdict on it. */
export function reportOf(digest: string, measured: Measured): SelfTestReport {
  const faults = faultsOf(measured);
  return { v: REPORT_VERSION, digest, passed: faults.length === 0, faults, ...measured };
}

function faultsOf({ twins, spread, fork, idle }: Measured): string[] {
  const faults = Object.entries(spread).flatMap(([vcpus, share]) => {
    if (share <= MAX_SPREAD) return [];
    return [`${vcpus} vCPUs: shares differ by ${percent(share)}, at most ${MAX_SPREAD * 100} % is accepted`];
  });
  if (twins[0] !== twins[1]) faults.push(`two boots differ: ${twins.join(' and ')}`);
  if (fork.boot.transcript !== fork.fork.transcript) faults.push('a fork said other things than its boot');
  if (fork.boot.hash !== fork.fork.hash) {
    faults.push(`a fork executed other blocks than its boot: ${fork.fork.hash} and ${fork.boot.hash}`);
  }
  const cost = idleCost(idle);
  if (!(cost <= MAX_IDLE_COST)) {
    faults.push(`idle time is not skipped: a virtual second takes ${cost.toFixed(2)} host seconds`);
  }
  return faults;
}

/** Host seconds that a virtual second of an idle machine takes. */
export function idleCost({ hostSeconds, virtualSeconds }: Measured['idle']): number {
  return hostSeconds / virtualSeconds;
}

/** A share as people read it. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** The kept report of an image; absent when it was never tested as it is now. */
export async function readSelfTest(
  image: Pick<ReadyImage, 'folder' | 'digest'>,
): Promise<SelfTestReport | undefined> {
  const path = join(image.folder, IMAGE_FILES.selfTest);
  if (!existsSync(path)) return undefined;
  try {
    const report = JSON.parse(await readFile(path, 'utf8')) as SelfTestReport;
    return report.v === REPORT_VERSION && report.digest === image.digest ? report : undefined;
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
