// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const Ratio = z.object({
  pairs: z.int(),
  ratio: z.number().optional(),
  low: z.number().optional(),
  high: z.number().optional(),
});
export type ReplayRatio = z.infer<typeof Ratio>;

/** What `replay.json` in a replay's folder says, as far as verdicts rest on it. */
export const ReplayFigures = z.object({
  v: z.literal(1),
  day: z.string(),
  /** Costs of one arm over another's in a phase, or in the `day`. */
  comparisons: z.array(z.object({ arm: z.string(), against: z.string(), scope: z.string() }).and(Ratio)),
  /** The static arm with the least cost of the day, and the daemon's over it. */
  best: z.string().optional(),
  againstBest: Ratio.optional(),
  daemons: z.array(
    z.object({
      switches: z.int(),
      windows: z.int().optional(),
      /** Windows that nothing in the map was near to. */
      novel: z.int().optional(),
      gapMostMs: z.number().optional(),
      preparedMedianMs: z.number().optional(),
    }),
  ),
  lost: z.array(z.object({ arm: z.string(), block: z.int(), how: z.string() })),
});
export type ReplayFigures = z.infer<typeof ReplayFigures>;
