// SPDX-License-Identifier: Apache-2.0

/** A ratio and its interval as people say it: `29 % lower (26 to 32 %)`, `8.3 times as high (7.8 to 8.8)`. */
export function changeWords(ratio: number, low?: number, high?: number): string {
  const { amount, words } = scaleOf(ratio);
  const between = low === undefined || high === undefined ? '' : ` (${rangeWords(ratio, low, high)})`;
  return `${numberWords(amount(ratio))}${words}${between}`;
}

interface Scale {
  readonly amount: (ratio: number) => number;
  readonly words: string;
}

function scaleOf(ratio: number): Scale {
  if (ratio >= 2) return { amount: (value) => value, words: ' times as high' };
  if (ratio >= 1) return { amount: (value) => (value - 1) * 100, words: ' % higher' };
  if (ratio > 0.5) return { amount: (value) => (1 - value) * 100, words: ' % lower' };
  return { amount: (value) => 1 / value, words: ' times lower' };
}

/** Both ends in the words of the ratio, the smaller change first; across 1 as ratios, which need no direction. */
function rangeWords(ratio: number, low: number, high: number): string {
  if (low < 1 !== high < 1) return `ratio ${low.toPrecision(3)} to ${high.toPrecision(3)}`;
  const { amount, words } = scaleOf(ratio);
  const [from = 0, to = 0] = [amount(low), amount(high)].sort((a, b) => a - b);
  // As many digits as it takes to see that they are two.
  const digits = [0, 3, 4, 5].find((count) => numberWords(from, count) !== numberWords(to, count)) ?? 0;
  return `${numberWords(from, digits)} to ${numberWords(to, digits)}${words.startsWith(' %') ? ' %' : ''}`;
}

/** So many digits; else two, and no more than one decimal. */
function numberWords(value: number, digits = 0): string {
  if (digits > 0) return value.toPrecision(digits);
  if (value >= 10) return value.toFixed(0);
  return value >= 0.1 ? value.toFixed(1) : value.toPrecision(1);
}
