// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { OBJECTIVES } from '../../../analysis/policy-map/evidence.ts';

/** Shapes of answers that several tools share. Absent is not known. */
export const objective = z.enum(OBJECTIVES);

export const vector = z.object({
  features: z.string().describe('Version of the feature definition'),
  values: z.array(z.number()).describe('Unit length'),
});

export const near = z.object({
  workload: z.string(),
  variant: z.string(),
  distance: z.number().describe('Chord between the vectors, 0 to 2'),
});

export const interval = z.object({
  ratio: z.number().describe("Expected cost over EEVDF's; below 1 is better"),
  low: z.number(),
  high: z.number(),
});

export const health = z.object({
  waitP99Us: z.number().optional().describe('99th percentile of waiting for a CPU, us'),
  waitMeanUs: z.number().optional(),
  pressure: z
    .object({ cpu: z.number().optional(), io: z.number().optional(), memory: z.number().optional() })
    .describe('Share of the window in which some task waited'),
  progress: z.number().optional().describe('Work a second, in progressUnit'),
  progressUnit: z.string().optional(),
  busy: z.number().optional().describe('Busy share of the processors'),
});

/** A share as a person writes it. */
export function percent(value: number): string {
  return `${(100 * value).toFixed(0)} %`;
}

/** A ratio of costs as a change: `-35 %`. */
export function asChange(ratio: number): string {
  const change = 100 * (ratio - 1);
  return `${change > 0 ? '+' : ''}${change.toFixed(0)} %`;
}
