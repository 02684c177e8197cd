// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { GUEST_RUNTIME } from '../core/runtime-parts.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial } from '../core/trial.ts';
import type { Workload, WorkloadDefinition } from '../core/workload.ts';
import { type Plan, planTrials } from '../plan/plan.ts';
import { type Arm, policyOf } from './arms.ts';
import type { Day } from './day.ts';

/** Where the guest finds the plan of its day. */
export const PLAN_PATH = '/run/day-plan';

/** A replay as any experiment is run: a spec, its plan, and a catalog that knows the day and the arms. */
export interface Replay {
  readonly spec: Spec;
  readonly plan: Plan;
  readonly catalog: Pick<Catalog, 'workloads' | 'policies'>;
}

export interface ReplayOptions {
  readonly arms: readonly Arm[];
  readonly seeds: { readonly base: number; readonly count: number };
  /** Digests of all that the guest is handed, by what it is: the day's plan, the daemon's code, the map. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Longest guest time of a day, seconds. */
  readonly deadlineS: number;
}

/**
 * The spec of a replay: one workload, the day, with a policy for each arm. Everything that the guest is handed is named by a digest in the
 * parameters, so that a run is not gone on with when any of it has changed. The oracle comes last in each block: it must know the others.
 */
export function planReplay(day: Day, catalog: Catalog, options: ReplayOptions): Replay {
  const { arms, seeds, inputs, deadlineS } = options;
  const workload: Workload = { id: day.name, definition: dayDefinition(day, inputs, deadlineS) };
  const policies = new Map(arms.map((arm) => [arm.id, policyOf(arm, catalog, day.machine.engine)]));
  const spec: Spec = {
    name: `replay-${day.name}`,
    image: day.image,
    machine: day.machine,
    policies: arms.map(({ id }) => id),
    workloads: [{ workload: day.name, variant: 'default', params: { ...inputs } }],
    counterfactual: day.machine.engine === 'exact' ? 'fork' : 'boot',
    points: ['quiescent'],
    seeds,
    order: 'randomised',
    baseline: 'eevdf',
    controls: [],
    stop: { rule: 'fixed' },
  };
  const plan = planTrials(spec);
  const trials = [...new Set(plan.trials.map(({ block }) => block))].flatMap((block) =>
    oracleLast(plan.trials.filter((trial) => trial.block === block)),
  );
  return {
    spec,
    plan: { ...plan, trials: numbered(trials) },
    catalog: {
      workloads: new Map([...catalog.workloads, [workload.id, workload]]),
      policies: new Map([...catalog.policies, ...policies]),
    },
  };
}

function oracleLast(trials: readonly PlannedTrial[]): PlannedTrial[] {
  const isOracle = ({ policy }: PlannedTrial) => policy === 'oracle';
  return [...trials.filter((trial) => !isOracle(trial)), ...trials.filter(isOracle)];
}

function numbered(trials: readonly PlannedTrial[]): PlannedTrial[] {
  const names = trials.map(({ trial }) => trial).sort();
  return trials.map((trial, at) => ({ ...trial, trial: names[at] as string }));
}

function dayDefinition(
  day: Day,
  inputs: Readonly<Record<string, string>>,
  deadlineS: number,
): WorkloadDefinition {
  const choice = (value: string, about: string) => ({
    type: 'choice' as const,
    values: [value],
    default: value,
    about,
  });
  return {
    summary: day.about ?? 'A day of phases.',
    class: 'mixed',
    source: 'harness/replay',
    params: Object.fromEntries(
      Object.entries(inputs).map(([name, digest]) => [name, choice(digest, `Digest of the ${name}.`)]),
    ),
    seed: 'Each round of each phase has a seed drawn from it, and the order of phases where that is shuffled.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of commands
    argv: [`${GUEST_RUNTIME}/bin/day`, PLAN_PATH, '${seed}'],
    packages: [],
    servers: [],
    kvm: {},
    metrics: {
      day: {
        unit: 's',
        direction: 'lower',
        primary: true,
        pattern: '^whole_day (\\S+) s$',
        about: 'From the first phase to the end of the last.',
      },
      ...Object.fromEntries(
        day.phases.map(({ name }, at) => [
          `phase_${String(at + 1).padStart(2, '0')}`,
          {
            unit: 's',
            direction: 'lower' as const,
            primary: false,
            pattern: `^whole_phase ${name.replaceAll('.', '\\.')} (\\S+) s$`,
            about: `How long the phase ${name} took.`,
          },
        ]),
      ),
    },
    deadline_s: deadlineS,
    takes_s: { exact: deadlineS / 4, kvm: deadlineS / 4 },
    ends: 'work',
  };
}
