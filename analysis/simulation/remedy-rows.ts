// SPDX-License-Identifier: Apache-2.0
import { LEVEL, logRatios } from '../stats/paired-ratio.ts';
import { quantile } from '../stats/quantile.ts';
import { randomWords } from '../stats/random.ts';
import { type CoverageRow, shareRow } from './coverage-rows.ts';
import type { Truth } from './experiment.ts';
import { noisyValue } from './noise.ts';
import { REMEDIES, sampleOf } from './remedies.ts';

/**
 * How often each interval of `REMEDIES` covers the true ratio, on pairs as experiments of `truth` have them, and how wide it is: its width on the
 * logarithm over that of Student's, in the median and in nine of ten experiments.
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
  return counts.flatMap(({ method, hits, widths }): CoverageRow[] => {
    const facts = { noise, n: blocks, experiments, method };
    const sorted = widths.sort((a, b) => a - b);
    const wide = (
      [
        ['median', 0.5],
        ['9 of 10 at most', 0.9],
      ] as const
    ).flatMap(([name, share]) => {
      const width = quantile(sorted, share);
      // A bootstrap-t of three blocks has resamples of one value, and so no end.
      if (!(width < 1e100)) return [];
      return [
        { ...facts, quantity: `width over Student's, ${name}`, share: width, error: '', wanted: '', met: '' },
      ];
    });
    return [
      shareRow({ ...facts, quantity: 'coverage of remedies tried', share: hits / experiments }),
      ...wide,
    ];
  });
}
