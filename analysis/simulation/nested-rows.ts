// SPDX-License-Identifier: Apache-2.0
import { bootstrapNested } from '../stats/bootstrap-nested.ts';
import { byHost, LEVEL, logRatios, type Pair, pairedRatio } from '../stats/paired-ratio.ts';
import { randomWords, type Words } from '../stats/random.ts';
import { type CoverageRow, shareRow } from './coverage-rows.ts';
import { noisyValue, SHAPES } from './noise.ts';

const BLOCKS = 5;
const RATIO = 0.8;
const SPREAD = 0.05;

/** Pairs of blocks on hosts that each see another effect, around the true one. */
function nestedPairs(hosts: number, words: Words): Pair[] {
  return Array.from({ length: hosts }, (_, host) => {
    const own = RATIO * Math.exp(SPREAD * SHAPES['log-normal'](words));
    return Array.from({ length: BLOCKS }, () => ({
      value: noisyValue('log-normal', own, SPREAD, words),
      baseline: noisyValue('log-normal', 1, SPREAD, words),
      host: `host-${host}`,
    }));
  }).flat();
}

/** Coverage of intervals when blocks nest in hosts, with the hosts as unit, drawn at both levels, and with blocks taken for the unit. */
export function nestedRows(hosts: number, experiments: number, seed: number): CoverageRow[] {
  const hits = { 'host-means-t': 0, 'hierarchical bootstrap': 0, 'paired-t over blocks': 0 };
  for (let at = 0; at < experiments; at++) {
    const words = randomWords(seed, 'nested', hosts, at);
    const pairs = nestedPairs(hosts, words);
    const logs = logRatios(pairs) as number[];
    const drawn = bootstrapNested(byHost(pairs, logs), LEVEL, words);
    const nested = pairedRatio(pairs);
    const flat = pairedRatio(pairs.map(({ value, baseline }) => ({ value, baseline })));
    if (nested.kind === 'interval' && covers(nested, RATIO)) hits['host-means-t']++;
    if (drawn !== undefined && covers(drawn, Math.log(RATIO))) hits['hierarchical bootstrap']++;
    if (flat.kind === 'interval' && covers(flat, RATIO)) hits['paired-t over blocks']++;
  }
  return Object.entries(hits).map(([method, count]) =>
    shareRow({
      ...{ noise: `${hosts} hosts, ${BLOCKS} blocks on each`, n: hosts * BLOCKS, experiments },
      ...{ quantity: 'coverage', method, share: count / experiments },
      ...(method === 'host-means-t' ? { wanted: [0.93, 0.97] as const } : {}),
    }),
  );
}

function covers({ low, high }: { readonly low: number; readonly high: number }, truth: number): boolean {
  return low <= truth && truth <= high;
}
