// SPDX-License-Identifier: Apache-2.0
import { looksOf } from '../../harness/core/looks.ts';
import { LEVEL, type Pair, pairedRatio } from '../stats/paired-ratio.ts';
import { randomWords } from '../stats/random.ts';
import { type CoverageRow, shareRow } from './coverage-rows.ts';
import { noisyValue, type Shape } from './noise.ts';

const MOST = 60;
const SPREAD = 0.05;
/** Reached after about half of the blocks. */
const WIDTH = 1.08;

/**
 * Coverage of the interval with which the rule `width` stops, corrected for the number of looks as pMVX does it, and not corrected; and how
 * often it leaves out 1 where nothing differs.
 */
export function stoppingRows(shape: Shape, experiments: number, seed: number): CoverageRow[] {
  const looks = looksOf({
    stop: { rule: 'width', width: WIDTH, minBlocks: 3 },
    seeds: { base: 1, count: MOST },
  });
  const levels = { corrected: 1 - (1 - LEVEL) / looks.length, 'not corrected': LEVEL };
  return Object.entries(levels).flatMap(([method, level]) => {
    let blocks = 0;
    const missed = (truth: number) => {
      let count = 0;
      for (let at = 0; at < experiments; at++) {
        const words = randomWords(seed, 'stopping', shape, truth, at);
        const pairs = Array.from({ length: MOST }, (): Pair => {
          const baseline = noisyValue(shape, 1, SPREAD, words);
          return { value: noisyValue(shape, truth, SPREAD, words), baseline };
        });
        const { n, low, high } = stoppedAt(pairs, looks, level);
        blocks += n / experiments / 2;
        if (truth < low || truth > high) count++;
      }
      return count / experiments;
    };
    const coverage = 1 - missed(0.8);
    const alarms = missed(1);
    const facts = { noise: `${shape}, stop at width ${WIDTH}`, n: Math.round(blocks), experiments, method };
    const wanted = (low: number, high: number) =>
      method === 'corrected' ? { wanted: [low, high] as const } : {};
    return [
      // Bonferroni's correction is an upper bound: more than 97 % is no fault of it.
      shareRow({ ...facts, quantity: 'coverage at the stop', share: coverage, ...wanted(0.93, 1) }),
      shareRow({ ...facts, quantity: 'A/A false alarm at the stop', share: alarms, ...wanted(0, 0.05) }),
    ];
  });
}

function stoppedAt(pairs: readonly Pair[], looks: readonly number[], level: number) {
  for (const n of looks) {
    const ratio = pairedRatio(pairs.slice(0, n), level);
    if (ratio.kind !== 'interval') continue;
    if (ratio.high / ratio.low <= WIDTH || n === looks.at(-1)) return { n, low: ratio.low, high: ratio.high };
  }
  throw new Error('no look had an interval');
}
