// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../core/trial.ts';

/** Two phases, the second with two parts; a ramp in the first. */
export const SAMPLE_DAY = `
name: sample
phases:
  - name: messages
    parts: [{ use: hackbench, with: { loops: 20 }, ramp: { groups: [1, 3] }, rounds: 3 }]
  - name: both
    parts:
      - { use: spinners, rounds: 2 }
      - { use: memcached, rounds: 1, metric: latency_p99 }
`;

const SECOND = 1_000_000_000;

/** What the guest's program prints of the sample day: hackbench takes `messages` s a round, spinners `compute`, memcached `late` us. */
export function sampleOutput(
  costs: { readonly messages: number; readonly compute: number; readonly late: number },
  more: readonly string[] = [],
): string {
  const length = 3 * costs.messages + 2 * costs.compute;
  const at = (seconds: number) => String(SECOND + Math.round(seconds * SECOND));
  const messages = [0, 1, 2].flatMap((round) => [
    `round messages 0 ${round} ${at(round * costs.messages)} ${at((round + 1) * costs.messages)} 0 -`,
    `| Time: ${costs.messages}`,
  ]);
  const began = 3 * costs.messages;
  const both = [
    ...[0, 1].flatMap((round) => [
      `round both 0 ${round} ${at(began + round * costs.compute)} ${at(began + (round + 1) * costs.compute)} 0 pmvx_chain`,
      `| makespan ${costs.compute} s`,
    ]),
    `round both 1 0 ${at(began)} ${at(length)} 0 -`,
    `| latency_p99 ${costs.late} us`,
  ];
  return [
    ...messages,
    `phase messages ${at(0)} ${at(began)}`,
    ...both,
    `phase both ${at(began)} ${at(length)}`,
    ...more,
    `day ${at(0)} ${at(length)}`,
    '',
  ].join('\n');
}

/** A record of an arm in a block that printed this. */
export function sampleRecord(policy: string, block: number, output: string): TrialRecord {
  return {
    v: 1,
    run: 'r',
    trial: `${block}-${policy}`,
    block,
    seed: 1,
    workload: 'sample',
    variant: 'default',
    point: 'quiescent',
    policy,
    role: 'measure',
    engine: 'exact',
    output,
    host: { startedAt: '2026-01-01T00:00:00Z', seconds: 1, attempt: 1 },
    state: 'completed',
    metrics: [],
  };
}
