// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import type { FlatRow } from '../../analysis/tables/table-rows.ts';
import { FONT } from '../fonts.ts';

/** What every figure of a run is told besides its rows. */
export interface FigureNames {
  readonly run: string;
  readonly baseline: string;
}

export interface FigureInput extends FigureNames {
  /** All policies in the order of the spec: where each is drawn, and how it looks. */
  readonly policies: readonly string[];
}

export const GREY = '#595959';

/**
 * Verdicts, in the order of legends. Okabe and Ito's colours, told apart in every common colour blindness; shapes
 * and marks repeat what they say.
 */
export const LOOKS = {
  better: { colour: '#0072B2', shape: 'circle', mark: '\u25B2' },
  worse: { colour: '#D55E00', shape: 'square', mark: '\u25BC' },
  equivalent: { colour: '#009E73', shape: 'triangle-up', mark: '=' },
  undecided: { colour: GREY, shape: 'diamond', mark: '?' },
  'too few blocks': { colour: GREY, shape: 'cross', mark: '\u00B7' },
  fails: { colour: '#882255', shape: 'triangle-down', mark: '\u2717' },
  'no interval': { colour: GREY, shape: 'cross', mark: '' },
} as const;
export type Look = keyof typeof LOOKS;

/** A whole figure: title, what it shows in words with its n, then `body`. */
export function sheet(title: string, subtitle: readonly string[], body: object): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, subtitle: [...subtitle], anchor: 'start', offset: 14 },
    ...body,
    config: {
      font: FONT,
      background: '#ffffff',
      view: { stroke: '#dddddd' },
      axis: { gridColor: '#eeeeee', labelFontSize: 10, titleFontSize: 10, titleFontWeight: 'normal' },
      legend: { labelFontSize: 10, titleFontSize: 10, titleFontWeight: 'normal' },
      title: { fontSize: 14, subtitleFontSize: 10, subtitleColor: GREY, subtitlePadding: 5 },
    },
  } as TopLevelSpec;
}

/** Title of one panel; parameters on a line of their own. */
export function panelTitle(text: string, subtitle = '') {
  return {
    text,
    ...(subtitle === '' ? {} : { subtitle }),
    fontSize: 11,
    subtitleFontSize: 9,
    anchor: 'start',
    frame: 'bounds',
    offset: 6,
  } as const;
}

/** `n = 5`, or `n = 3 to 5`, of rows that have a ratio or whatever else counts. */
export function countWords(counts: readonly number[]): string {
  const least = counts.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  return counts.length === 0 ? 'n = 0' : least === most ? `n = ${least}` : `n = ${least} to ${most}`;
}

/** `eevdf (A/A)` for the null control. */
export function policyName({ policy, role }: Pick<FlatRow, 'policy' | 'role'>): string {
  return role === 'aa' ? `${policy} (A/A)` : `${policy}`;
}

/** How trials ended that gave no value, in words; empty when all are there. */
export function lostTrials(row: FlatRow): string[] {
  const ends = (['failed', 'ejected', 'refused', 'timed-out', 'crashed'] as const)
    .filter((state) => row[state] !== 0)
    .map((state) => `${row[state]} ${state}`);
  const missing = Number(row.planned) - Number(row.recorded);
  return missing > 0 ? [...ends, `${missing} not run yet`] : ends;
}

/** The look of a row with a ratio: its verdict, where it has one. */
export function lookOf({ verdict, low, high }: FlatRow): Look {
  if (verdict === undefined && (low === undefined || high === undefined)) return 'no interval';
  return typeof verdict === 'string' && Object.hasOwn(LOOKS, verdict) ? (verdict as Look) : 'undecided';
}

/** Three decimals near 1, three digits elsewhere. */
export function ratioWords(ratio: number): string {
  if (ratio >= 0.1 && ratio < 10) return ratio.toFixed(3);
  return ratio >= 1000 || ratio < 1e-3
    ? ratio.toExponential(2)
    : ratio.toFixed(ratio >= 100 ? 0 : ratio >= 10 ? 1 : 4);
}

export function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
