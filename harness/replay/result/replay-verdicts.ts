// SPDX-License-Identifier: Apache-2.0
import { intervalEvidence } from '../../../analysis/stats/evidence.ts';
import { judgeFamily } from '../../../analysis/stats/judge-family.ts';
import type { PairedRatio } from '../../../analysis/stats/paired-ratio.ts';
import { type Verdict, verdict } from '../../../analysis/stats/verdict.ts';
import { type Comparison, HARM_MARGIN } from './compare-arms.ts';
import type { LivedArms } from './lived-arms.ts';

/** Verdicts of a replay's costs, by the ratio that they are of. */
export type ReplayVerdicts = ReadonlyMap<PairedRatio, Verdict>;

/**
 * Judges all comparisons of a replay as one family, as a run's table is: `better` and `worse` say that the true cost is more than `HARM_MARGIN`
 * from that of the other arm. An arm of which too many days were lost `fails`; where the other lost them, nothing is decided.
 */
export function replayVerdicts(comparisons: readonly Comparison[], lived: LivedArms): ReplayVerdicts {
  const tested = judgeFamily(
    comparisons.map(({ ratio }) => intervalEvidence(ratio)),
    { margin: 1 + HARM_MARGIN },
  );
  const lostShare = (arm: string) => {
    const [days, lost] = [lived.days, lived.lost].map(
      (of) => of.filter((each) => each.arm === arm).length,
    ) as [number, number];
    return days + lost === 0 ? 0 : lost / (days + lost);
  };
  return new Map(
    comparisons.flatMap(({ arm, against, ratio }, at) => {
      const facts = { failureRate: lostShare(arm), baselineFailureRate: lostShare(against) };
      const word = verdict(ratio, tested[at], { direction: 'lower', ...facts });
      return word === undefined ? [] : [[ratio, word] as const];
    }),
  );
}
