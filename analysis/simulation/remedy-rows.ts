// SPDX-License-Identifier: Apache-2.0
import { median } from '../stats/median.ts';
import { LEVEL, logRatios } from '../stats/paired-ratio.ts';
import { randomWords } from '../stats/random.ts';
import { type CoverageRow, shareRow } from './coverage-rows.ts';
import type { Truth } from './experiment.ts';
import { noisyValue } from './noise.ts';
import { REMEDIES, sampleOf } from './remedies.ts';

/**
 * How often each interval of `REMEDIES` covers the true ratio, on pairs as experiments of `truth` have them, and how wide it is: the median of its width
 * on the logarithm over that of Student's.
 */
export function remedyRows(noise: string, truth: Truth, experiments: number, seed: number): CoverageRow[] {
  const { shape, blocks, ratio, spread, noisier } = truth;
  const counts = Object.keys(REMEDIES).map((method) => ({ method, hits: 0, widths: [] as number[] }));
  for (let at = 0; at < experiments; at++) {
    const words = randomWords(seed, 'remedies', noise, blocks, at);
    const pairs = Array.from({ length: blocks }, () => ({
      baseline: noisyValue(shape, 1, spread, words),
      value: noisyValue(shape, ratio, noisier * spread, words),
    }));
    const sample = sampleOf(logRatios(pairs) as number[], LEVEL, words);
    if (sample === undefined) throw new Error('the simulated experiment has no spread');
    let student = 0;
    for (const count of counts) {
      const { low, high } = (REMEDIES[count.method] as (typeof REMEDIES)[string])(sample);
      if (low <= Math.log(ratio) && Math.log(ratio) <= high) count.hits++;
      if (count.method === 'paired-t') student = high - low;
      count.widths.push((high - low) / student);
    }
  }
  return counts.flatMap(({ method, hits, widths }) => {
    const facts = { noise, n: blocks, experiments, method };
    return [
      shareRow({ ...facts, quantity: 'coverage of remedies tried', share: hits / experiments }),
      { ...facts, ...{ quantity: "width over Student's, median", share: median(widths) as number } },
    ].map((row) => ({ error: '', wanted: '', met: '', ...row }));
  });
}
