// SPDX-License-Identifier: Apache-2.0
import type { Method } from '../choose/method.ts';
import { STATIC } from '../choose/static-best.ts';
import type { Example } from '../choose/training.ts';
import { METHODS, oracle } from './compare-methods.ts';
import { type Pick, pickCost } from './judge-picks.ts';
import { pickHeldOut } from './leave-one-out.ts';

/** Who picked: the map, which never saw the workload; the policy that is best over the other workloads; and who has seen the answers. */
export const PICKERS = ['the map', 'best single policy', 'best of all'] as const;

/** What one pick for one situation cost. */
export interface PickRow {
  readonly workload: string;
  readonly variant: string;
  readonly picker: (typeof PICKERS)[number];
  /** `eevdf` when the picker left it alone. */
  readonly policy: string;
  /** Cost over EEVDF's. */
  readonly ratio: number;
  readonly failed: boolean;
}

/** The picks of the map's own method for workloads that were left out, beside the two that it is measured by. Sorted by workload and variant. */
export function pickRows(examples: readonly Example[], method = METHODS[0] as Method): PickRow[] {
  const picks: Readonly<Record<(typeof PICKERS)[number], readonly Pick[]>> = {
    'the map': pickHeldOut(method, examples),
    'best single policy': pickHeldOut(STATIC, examples, true),
    'best of all': examples.map(oracle),
  };
  const rows = PICKERS.flatMap((picker) =>
    picks[picker].map((pick) => {
      const { logCost, failed } = pickCost(pick);
      const { workload, variant } = pick.example;
      return { workload, variant, picker, policy: pick.policy ?? 'eevdf', ratio: Math.exp(logCost), failed };
    }),
  );
  const key = ({ workload, variant }: PickRow) => `${workload} ${variant}`;
  return rows.sort((a, b) => (key(a) === key(b) ? 0 : key(a) < key(b) ? -1 : 1));
}
