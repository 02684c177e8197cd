// SPDX-License-Identifier: Apache-2.0
import type { Asked } from './against-bound.ts';

/** What a kept replay shows, from its records: of each arm in each block what its phases cost. */
export interface ReplayFigures {
  readonly day: string;
  /** Whether it ran in real time, where blocks may know of each other. */
  readonly drifts: boolean;
  /** In the order of the scenario. */
  readonly phases: readonly string[];
  readonly arms: readonly { readonly id: string; readonly kind: 'eevdf' | 'static' | 'auto' | 'oracle' }[];
  /** Blocks that were run to their end: the cost of each phase over EEVDF's in the same block, as a natural logarithm; 0 for EEVDF itself. */
  readonly blocks: readonly {
    readonly arm: string;
    readonly block: number;
    readonly logCosts: readonly number[];
  }[];
  readonly daemons: readonly {
    readonly switches: number;
    readonly windows: number;
    /** Windows that nothing in the map was near to. */
    readonly novel: number;
    readonly gapMostMs?: number;
  }[];
  /** Blocks that an arm did not run to their end. */
  readonly lost: readonly { readonly arm: string; readonly block: number; readonly how: string }[];
}

/** How costs of several phases become one, relative to EEVDF's. */
export type Average = 'arithmetic' | 'geometric';

/**
 * The mean over phases: arithmetic is what the work would cost of which each phase was an equal part under EEVDF; geometric does not depend on the
 * reference (Fleming and Wallace, "How not to lie with statistics", Communications of the ACM 29 (1986) 218-221).
 */
export function averageOf(logCosts: readonly number[], average: Average): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return average === 'geometric' ? mean(logCosts) : Math.log(mean(logCosts.map(Math.exp)));
}

/** One arm's cost over another's in the blocks in which both were run to their end. `of` makes one logarithm of a block's phases. */
export function armOver(
  { blocks, lost, drifts }: ReplayFigures,
  arm: string,
  against: string,
  of: (logCosts: readonly number[]) => number,
): Asked {
  const bases = new Map(
    blocks.filter((each) => each.arm === against).map(({ block, logCosts }) => [block, logCosts] as const),
  );
  const logs = blocks
    .filter((each) => each.arm === arm)
    .toSorted((a, b) => a.block - b.block)
    .flatMap(({ block, logCosts }) => {
      const base = bases.get(block);
      return base === undefined ? [] : [of(logCosts) - of(base)];
    });
  const failed = new Set(
    lost.filter((each) => each.arm === arm || each.arm === against).map(({ block }) => block),
  );
  return { logs, failures: failed.size, drifts };
}
