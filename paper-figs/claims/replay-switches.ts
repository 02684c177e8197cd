// SPDX-License-Identifier: Apache-2.0
import type { ClaimTest } from './claims.ts';
import type { Evidence, Finding } from './finding.ts';
import { noReplay } from './replay-wins.ts';

type Test = Extract<ClaimTest, { kind: 'replay-switches' }>;

/**
 * Whether the daemon switched under load in every block and lost no day. A replay shows that much; that the kernel is back after each way of
 * dying is shown by tests on real machines, so the best verdict here is `partly`.
 */
export function replaySwitches(test: Test, { replays }: Evidence): Finding {
  const found = replays?.get(test.replay);
  if (found === undefined) return noReplay(test.replay);
  const lost = found.lost.filter(({ arm }) => arm === 'auto');
  const switches = found.daemons.map((each) => each.switches);
  const gaps = found.daemons.flatMap(({ gapMostMs }) => gapMostMs ?? []);
  const works = lost.length === 0 && switches.length > 0 && switches.every((count) => count > 0);
  const longest = gaps.length === 0 ? undefined : Math.max(...gaps);
  return {
    verdict: works ? 'partly' : 'not reproduced',
    because: [
      switches.length === 0
        ? `no daemon lived through the day ${found.day}`
        : `in ${switches.length} lives of the day ${found.day} the daemon switched ${Math.min(...switches)} to ${Math.max(...switches)} times under load, without restart or recompilation`,
      ...(longest === undefined
        ? []
        : [`the longest time without either policy was ${longest.toFixed(1)} ms of virtual time`]),
      'what is in effect after each way of dying is shown by tests, not by this run',
      ...lost.map(({ block, how }) => `its day of block ${block} was lost: ${how}`),
    ],
    numbers: {
      lives: switches.length,
      ...(longest === undefined ? {} : { longest_gap_ms: longest }),
    },
  };
}
