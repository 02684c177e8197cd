// SPDX-License-Identifier: Apache-2.0
import { logGamma } from './gamma.ts';

/** Failures of two samples. */
export interface FailureCounts {
  readonly failedA: number;
  readonly triedA: number;
  readonly failedB: number;
  readonly triedB: number;
}

/**
 * One-sided p of Fisher's exact test that B fails more often than A, and the least p that so many failures in all could give. 1 where
 * nothing was tried or nothing failed. Source: Fisher, "The Design of Experiments", 1935.
 */
export function moreFailures({ failedA, triedA, failedB, triedB }: FailureCounts): {
  readonly p: number;
  readonly least: number;
} {
  const failed = failedA + failedB;
  if (failed === 0 || triedA === 0 || triedB === 0) return { p: 1, least: 1 };
  const most = Math.min(failed, triedB);
  const chance = (inB: number) =>
    Math.exp(logChoose(triedB, inB) + logChoose(triedA, failed - inB) - logChoose(triedA + triedB, failed));
  let p = 0;
  for (let inB = most; inB >= failedB; inB--) p += chance(inB);
  return { p: Math.min(1, p), least: Math.min(1, chance(most)) };
}

/**
 * p of discrete tests, corrected for those of them that could be significant at all. Source: Tarone, "A modified Bonferroni method for
 * discrete data", Biometrics 46 (1990) 515-522.
 */
export function tarone(
  tests: readonly { readonly p: number; readonly least: number }[],
  alpha: number,
): number[] {
  let count = 1;
  while (tests.filter(({ least }) => least <= alpha / count).length > count) count++;
  return tests.map(({ p }) => Math.min(1, count * p));
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
