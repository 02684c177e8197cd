// SPDX-License-Identifier: Apache-2.0

/**
 * Holm's step-down adjustment: reject where the result is at most alpha, and the chance of any false rejection among all is at most alpha,
 * however the tests depend on each other. In the order of `p`.
 *
 * Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979) 65-70.
 */
export function holm(p: readonly number[]): number[] {
  const adjusted = new Array<number>(p.length);
  let least = 0;
  ascending(p).forEach((at, rank) => {
    least = Math.max(least, Math.min(1, (p.length - rank) * (p[at] as number)));
    adjusted[at] = least;
  });
  return adjusted;
}

/**
 * Benjamini and Hochberg's step-up adjustment: of the rejections at most alpha are false, on average, when tests are independent or
 * positively dependent. In the order of `p`.
 *
 * Source: Benjamini and Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57 (1995) 289-300.
 */
export function benjaminiHochberg(p: readonly number[]): number[] {
  const adjusted = new Array<number>(p.length);
  let most = 1;
  ascending(p)
    .reverse()
    .forEach((at, below) => {
      most = Math.min(most, ((p[at] as number) * p.length) / (p.length - below));
      adjusted[at] = most;
    });
  return adjusted;
}

function ascending(p: readonly number[]): number[] {
  return p.map((_, at) => at).sort((a, b) => (p[a] as number) - (p[b] as number));
}
