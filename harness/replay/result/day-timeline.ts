// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../../core/catalog.ts';
import type { Day } from '../day.ts';
import { roundCosts } from '../phase-costs.ts';
import { changesOf } from './daemon-facts.ts';
import { dayOf, type LivedArm, type LivedArms } from './lived-arms.ts';

/** A stretch of the day that the daemon lived, in seconds from its begin. */
export interface Stretch {
  readonly band: 'phase' | 'looks like' | 'policy';
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** How fast an arm did a round's work over EEVDF in the same block, drawn where the daemon's day had that round. */
export interface Pace {
  readonly arm: string;
  readonly phase: string;
  readonly from: number;
  readonly to: number;
  /** EEVDF's cost over the arm's: above 1 is faster. */
  readonly speedup: number;
}

/** One block as a figure shows it; undefined when the daemon or EEVDF did not live it to its end. */
export function dayTimeline(
  day: Day,
  lived: LivedArms,
  block: number,
  catalog: Pick<Catalog, 'workloads'>,
): { readonly stretches: readonly Stretch[]; readonly paces: readonly Pace[] } | undefined {
  const [auto, base] = [dayOf(lived, 'auto', block), dayOf(lived, 'eevdf', block)];
  if (auto === undefined || base === undefined) return undefined;
  const arms = [auto, dayOf(lived, 'oracle', block)].filter((each) => each !== undefined);
  return {
    stretches: [...phaseStretches(auto), ...regimeStretches(auto), ...policyStretches(auto)],
    paces: arms.flatMap((arm) => pacesOf(day, arm, base, auto, catalog)),
  };
}

function secondsIn({ lived }: LivedArm): (ns: number) => number {
  return (ns) =>
    Math.round(Math.min(Math.max(0, ns - lived.beganNs), lived.endedNs - lived.beganNs) / 1e5) / 1e4;
}

function phaseStretches(auto: LivedArm): Stretch[] {
  const at = secondsIn(auto);
  return auto.lived.phases.map(({ name, beganNs, endedNs }) => ({
    band: 'phase',
    what: name,
    from: at(beganNs),
    to: at(endedNs),
  }));
}

/** The workload that each window looked most like, windows that look alike together. */
function regimeStretches(auto: LivedArm): Stretch[] {
  const at = secondsIn(auto);
  const stretches: Stretch[] = [];
  for (const line of auto.lived.helper?.journal ?? []) {
    if (line.kind !== 'decision') continue;
    const endNs = line.monotonicNs - line.decidedMs * 1e6;
    if (endNs <= auto.lived.beganNs || endNs - line.window.ms * 1e6 >= auto.lived.endedNs) continue;
    const [from, to] = [at(endNs - line.window.ms * 1e6), at(endNs)];
    const what = line.selection.neighbours[0]?.workload ?? 'unknown';
    const last = stretches.at(-1);
    if (last?.what === what) stretches[stretches.length - 1] = { ...last, to };
    else stretches.push({ band: 'looks like', what, from, to });
  }
  return stretches;
}

function policyStretches(auto: LivedArm): Stretch[] {
  const at = secondsIn(auto);
  const { beganNs, endedNs } = auto.lived;
  const changes = [{ atNs: beganNs, to: 'eevdf' }, ...changesOf(auto.lived.helper?.journal ?? [])].filter(
    ({ atNs }) => atNs <= endedNs,
  );
  return changes.map(({ atNs, to }, index) => ({
    band: 'policy',
    what: to,
    from: at(atNs),
    to: at(changes[index + 1]?.atNs ?? endedNs),
  }));
}

function pacesOf(
  day: Day,
  arm: LivedArm,
  base: LivedArm,
  auto: LivedArm,
  catalog: Pick<Catalog, 'workloads'>,
): Pace[] {
  const at = secondsIn(auto);
  const roundsOf = ({ lived }: LivedArm, phase: string, part: number) =>
    lived.phases.find(({ name }) => name === phase)?.parts[part] ?? [];
  return day.phases.flatMap(({ name, parts }) =>
    parts.flatMap((part, index) => {
      const own = roundCosts(part, roundsOf(arm, name, index), catalog, name);
      const usual = roundCosts(part, roundsOf(base, name, index), catalog, name);
      const drawn = roundsOf(auto, name, index);
      return own.map((cost, round) => ({
        arm: arm.arm,
        phase: name,
        from: at(drawn[round]?.beganNs ?? 0),
        to: at(drawn[round]?.endedNs ?? 0),
        speedup: Math.round(((usual[round] as number) / cost) * 1e4) / 1e4,
      }));
    }),
  );
}
