// SPDX-License-Identifier: Apache-2.0
import { type PairedRatio, pairedRatio } from '../../../analysis/stats/paired-ratio.ts';
import { EEVDF_ARM } from '../arms.ts';
import type { Day } from '../day.ts';
import { costRatio } from '../phase-costs.ts';
import { dayOf, type LivedArm, type LivedArms } from './lived-arms.ts';

/** A phase worse than EEVDF by more than this share counts as harm. */
export const HARM_MARGIN = 0.02;

/** Costs of one arm over another's, in the blocks in which both lived: below 1 is better. */
export interface Comparison {
  readonly arm: string;
  readonly against: string;
  /** The phase, or `day`: all phases, each the same weight. */
  readonly scope: string;
  readonly ratio: PairedRatio;
}

/** Every arm over EEVDF, and over the oracle where there is one: each phase, groups of phases by class, and the day. */
export function compareArms(day: Day, arms: readonly string[], lived: LivedArms): readonly Comparison[] {
  const oracle = arms.includes('oracle') ? ['oracle'] : [];
  const scopes = [...day.phases.map(({ name }) => [name, [name]] as const), ['day', namesOf(day)] as const];
  return [EEVDF_ARM.id, ...oracle].flatMap((against) =>
    arms
      .filter((arm) => arm !== against)
      .flatMap((arm) =>
        scopes.map(([scope, phases]) => ({
          arm,
          against,
          scope,
          ratio: overPhases(lived, arm, against, phases),
        })),
      ),
  );
}

/** The static arm with the least cost over the whole day: known only afterwards, so the strongest of its kind. */
export function bestStatic(day: Day, statics: readonly string[], lived: LivedArms): string | undefined {
  const known = statics.flatMap((arm) => {
    const ratio = pointOf(overPhases(lived, arm, EEVDF_ARM.id, namesOf(day)));
    return ratio === undefined ? [] : [{ arm, ratio }];
  });
  return known.toSorted((a, b) => a.ratio - b.ratio)[0]?.arm;
}

/**
 * One arm's cost over another's in some phases, with the interval over blocks. The cost of some phases is the mean of their costs over
 * EEVDF's: what the work would cost of which each phase was an equal part under EEVDF.
 */
export function overPhases(
  lived: LivedArms,
  arm: string,
  against: string,
  phases: readonly string[],
): PairedRatio {
  const blocks = [...new Set(lived.days.map(({ block }) => block))].sort((a, b) => a - b);
  return pairedRatio(
    blocks.flatMap((block) => {
      const usual = dayOf(lived, EEVDF_ARM.id, block);
      const [own, base] = [dayOf(lived, arm, block), dayOf(lived, against, block)];
      return usual === undefined || own === undefined || base === undefined
        ? []
        : [{ value: meanCost(own, usual, phases), baseline: meanCost(base, usual, phases) }];
    }),
  );
}

function meanCost(own: LivedArm, usual: LivedArm, phases: readonly string[]): number {
  const ratios = phases.map((name) => costRatio(own.costs.get(name) ?? [], usual.costs.get(name) ?? []));
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

export function namesOf(day: Day): string[] {
  return day.phases.map(({ name }) => name);
}

/** Names of phases all of whose parts are workloads of these classes. */
export function phasesOfClasses(
  day: Day,
  classOf: (workload: string) => string | undefined,
  classes: readonly string[],
): string[] {
  return day.phases
    .filter(({ parts }) => parts.every(({ workload }) => classes.includes(classOf(workload) ?? '')))
    .map(({ name }) => name);
}

export function pointOf(ratio: PairedRatio): number | undefined {
  return ratio.kind === 'none' ? undefined : ratio.ratio;
}
