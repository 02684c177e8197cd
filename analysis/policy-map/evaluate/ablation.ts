// SPDX-License-Identifier: Apache-2.0
import { chosenKnn } from '../choose/choose-settings.ts';
import type { Example } from '../choose/training.ts';
import { judgePicks } from './judge-picks.ts';
import { pickHeldOut } from './leave-one-out.ts';

export interface Ablation {
  readonly feature: string;
  /** Geometric mean of the regret without this feature, and without any other than it. */
  readonly without: number;
  readonly alone: number;
}

export interface Ablations {
  /** With all features. */
  readonly all: number;
  /** Without any: each situation as near as any other. */
  readonly none: number;
  /** The feature that is missed most first. */
  readonly rows: readonly Ablation[];
}

/**
 * What each feature does for held-out choice: the regret of the bold neighbours' choice, workloads left out, when a dimension is taken away
 * and what is left is made of length 1 again.
 */
export function ablateFeatures(examples: readonly Example[], names: readonly string[]): Ablations {
  const regret = (keep: (at: number) => boolean) => {
    const cut = examples.map((example) => ({
      ...example,
      vectors: example.vectors.map((vector) => cutVector(vector, keep)),
    }));
    return judgePicks(pickHeldOut(chosenKnn(), cut, true)).geometricRegret;
  };
  const rows = names.map((feature, at) => ({
    feature,
    without: regret((other) => other !== at),
    alone: regret((other) => other === at),
  }));
  return {
    all: regret(() => true),
    none: regret(() => false),
    rows: rows.sort((a, b) => b.without - a.without),
  };
}

/** The vector without the dimensions that are not kept, of length 1; all 0 where nothing is left. */
export function cutVector(vector: Float32Array, keep: (at: number) => boolean): Float32Array {
  const kept = vector.map((value, at) => (keep(at) ? value : 0));
  const length = Math.hypot(...kept);
  return length > 0 ? kept.map((value) => value / length) : kept;
}

/** Markdown. */
export function formatAblations({ all, none, rows }: Ablations): string[] {
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  return [
    `Geometric mean regret of the bold neighbours' choice: ${percent(all)} with all features, ${percent(none)} with none.`,
    '',
    '| feature | regret without it | with it alone |',
    '|---|---|---|',
    ...rows.map(({ feature, without, alone }) => `| ${feature} | ${percent(without)} | ${percent(alone)} |`),
  ];
}
