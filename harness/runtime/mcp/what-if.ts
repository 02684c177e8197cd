// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { ToolError } from './failure.ts';
import type { Futures, McpParts } from './parts.ts';
import { tool } from './tool.ts';

const Output = z.object({
  workload: z.string(),
  variant: z.string(),
  at: z.string(),
  states: z.number(),
  metric: z.object({ name: z.string(), unit: z.string(), direction: z.enum(['lower', 'higher']) }).optional(),
  policies: z.array(
    z.object({
      policy: z.string(),
      completed: z.number(),
      median: z.number().optional(),
      ratio: z
        .object({ ratio: z.number(), low: z.number().optional(), high: z.number().optional() })
        .optional()
        .describe("The metric over EEVDF's from the same state"),
      verdict: z.string().optional(),
      failures: z.array(z.string()),
    }),
  ),
  note: z.string(),
});

const NOTE =
  'exact: all forks share every bit up to the fork point and differ by the policy alone; time is instructions, not cycles. Confirm on real hardware.';

export const whatIfTool = (parts: McpParts) =>
  tool({
    name: 'what_if',
    title: 'What would each policy have done?',
    description:
      'Freezes one virtual machine while a workload runs and lets it live on under each policy from the same bits. Touches nothing on this machine but its processors: each fork takes some seconds of a core. Tells progress, can be cancelled.',
    input: z.object({
      workload: z
        .string()
        .min(1)
        .max(500)
        .describe('hackbench, or with parameters hackbench:groups=2,loops=60'),
      policies: z.array(z.string().min(1)).min(1).max(16).describe('eevdf is added as the baseline'),
      at: z
        .string()
        .default('warm')
        .describe('quiescent (before the run), warm (in its steady state), or a time into it such as 0.25s'),
      states: z.int().min(1).max(10).default(1).describe('Seeds; from two on there are intervals'),
      image: z.string().default('quick'),
      vcpus: z.int().min(1).max(16).default(4),
      mostForks: z.int().min(1).max(64).default(12).describe('A question that needs more is refused'),
      mostSeconds: z.number().min(1).max(3600).default(600).describe('The call ends then'),
    }),
    output: Output,
    effects: 'computes',
    async run(asked, call) {
      const wanted = [...new Set(['eevdf', ...asked.policies])];
      const forks = wanted.length * asked.states;
      if (forks > asked.mostForks) {
        throw new ToolError(
          'too-costly',
          `${wanted.length} policies from ${asked.states} states are ${forks} forks; ${asked.mostForks} are allowed`,
          'Ask for fewer policies or states, or raise mostForks',
        );
      }
      const late = AbortSignal.timeout(asked.mostSeconds * 1000);
      const signal = AbortSignal.any([call.signal, late]);
      try {
        const futures = await parts.whatIf({ ...asked, policies: wanted }, { ...call, signal });
        return {
          words: wordsOf(futures),
          data: {
            ...futures,
            policies: futures.policies.map((each) => ({ ...each, failures: [...each.failures] })),
            note: NOTE,
          },
        };
      } catch (error) {
        if (!late.aborted || call.signal.aborted) throw error;
        throw new ToolError(
          'out-of-time',
          `${forks} forks were not done within ${asked.mostSeconds} s`,
          'Raise mostSeconds, or ask for fewer policies; snapshots that were made are kept, so the next call is faster',
        );
      }
    },
  });

function wordsOf({ workload, variant, at, metric, policies }: Futures): string {
  const lines = policies.map(({ policy, median, ratio, verdict, failures }) => {
    const value =
      median === undefined || metric === undefined
        ? 'no result'
        : `${metric.name} ${median.toPrecision(4)} ${metric.unit}`;
    const against = ratio === undefined ? '' : `, ${ratio.ratio.toFixed(3)} of EEVDF's`;
    const range =
      ratio?.low === undefined || ratio.high === undefined
        ? ''
        : ` (${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)})`;
    return `${policy}: ${value}${against}${range}${verdict === undefined ? '' : `, ${verdict}`}${failures.length === 0 ? '' : `; ${failures.join('; ')}`}`;
  });
  const better = metric === undefined ? '' : `, ${metric.direction} is better`;
  return [`${workload} ${variant} at ${at}${better}:`, ...lines].join('\n');
}
