// SPDX-License-Identifier: Apache-2.0
import { FEATURES } from './definition.ts';
import kept from './scales.json' with { type: 'json' };

/** Middle and spread of a feature over many workloads, in the feature's unit. */
export interface Scale {
  readonly centre: number;
  readonly spread: number;
}

/** In the order of {@link FEATURES}. Part of the version: made once, from the runs that `scales.json` names, by `pmvx vectors RUN... --fit`. */
export const SCALES: readonly Scale[] = FEATURES.map(({ name }) => {
  const scale = (kept.scales as Readonly<Record<string, Scale>>)[name];
  if (scale === undefined)
    throw new Error(
      `scales.json has no ${name}: run pmvx vectors RUN... --fit analysis/features/scales.json`,
    );
  return scale;
});

/** Least spread of each feature, by its unit: a tenth of a doubling, some hundredths of a share. */
export const LEAST_SPREADS: readonly number[] = FEATURES.map(({ unit }) =>
  unit === 'share' || unit === 'ratio' ? 0.05 : unit === 'tasks' ? 0.25 : 0.5,
);

/**
 * Robust scales of raw values, a row a situation: the median, and the distance between the 10th and the 90th percentile over 2.563 (what it is
 * in a normal distribution of deviation 1). Wider than the usual quartiles, because many features are near 0 for most workloads; a feature
 * that hardly varies gets `least`, so that noise is not blown up.
 */
export function fitScales(rows: readonly (readonly number[])[], least: readonly number[]): Scale[] {
  return least.map((floor, at) => {
    const values = rows.map((row) => row[at] as number).sort((a, b) => a - b);
    const percentile = (share: number) => {
      const place = share * (values.length - 1);
      const [below, above] = [values[Math.floor(place)] as number, values[Math.ceil(place)] as number];
      return below + (above - below) * (place - Math.floor(place));
    };
    const spread = (percentile(0.9) - percentile(0.1)) / 2.563;
    return { centre: percentile(0.5), spread: Math.max(spread, floor) };
  });
}
