// SPDX-License-Identifier: Apache-2.0
import { absence, type Catalog } from '../core/catalog.ts';
import { ExitCode, type Fault, PmvxError } from '../core/errors.ts';
import { canonicalPoint, type ForkPoint, forkPointMs, isForkPoint } from '../core/fork-point.ts';
import { deriveSeed, type Seed } from '../core/seed.ts';
import type { Spec, WorkloadUse } from '../core/spec.ts';
import { warmSeconds } from '../core/workload.ts';
import type { AskedState, Question } from './question.ts';

/** What a user may say besides the spec, as text and numbers. */
export interface AskOptions {
  /** `quiescent` when absent. */
  readonly at?: string;
  /** Ids with commas between them; those of the spec when absent. */
  readonly policies?: string;
  /** `hackbench`, or `hackbench:groups=2,loops=60` where the spec has several; the spec's first when absent. */
  readonly workload?: string;
  readonly seed?: number;
  /** First block, from 0, and how many. */
  readonly block?: number;
  readonly blocks?: number;
}

/** A spec and the user's words as a question. Throws PmvxError (usage) with every fault of the words. */
export function questionOf(spec: Spec, options: AskOptions, catalog: Catalog): Question {
  const faults: Fault[] = [];
  const workload = chosenWorkload(spec, options.workload, faults);
  const question = {
    image: spec.image,
    machine: spec.machine,
    workload,
    point: chosenPoint(options.at ?? 'quiescent', workload, catalog, faults),
    policies: chosenPolicies(spec, options.policies, catalog, faults),
    baseline: spec.baseline,
    states: chosenStates(spec, options, faults),
  };
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, faults);
  return question;
}

function chosenPolicies(
  spec: Spec,
  text: string | undefined,
  catalog: Catalog,
  faults: Fault[],
): readonly string[] {
  if (text === undefined) return spec.policies;
  const names = text.split(',').map((name) => name.trim());
  for (const name of new Set(names.filter((each) => !catalog.policies.has(each)))) {
    faults.push({ where: '--policies', ...absence('policy', name, catalog) });
  }
  return names;
}

function chosenWorkload({ workloads }: Spec, text: string | undefined, faults: Fault[]): WorkloadUse {
  const first = workloads[0] as WorkloadUse;
  if (text === undefined) return first;
  const [id = '', ...rest] = text.split(':');
  const wanted = rest.length === 0 ? [] : rest.join(':').split(',');
  const matching = workloads.filter(
    ({ workload, params }) =>
      workload === id &&
      wanted.every((each) => Object.entries(params).some(([k, v]) => each === `${k}=${v}`)),
  );
  if (matching.length === 1) return matching[0] as WorkloadUse;
  const known = (matching.length > 1 ? matching : workloads).map((use) => `${use.workload}:${use.variant}`);
  const what =
    matching.length > 1
      ? `${JSON.stringify(text)} may be any of ${matching.length} workloads of the spec`
      : `the spec has no workload ${JSON.stringify(text)}`;
  faults.push({ where: '--workload', what, next: `Choose from: ${known.join('; ')}` });
  return first;
}

function chosenPoint(
  text: string,
  { workload }: WorkloadUse,
  { workloads }: Catalog,
  faults: Fault[],
): ForkPoint {
  if (!isForkPoint(text)) {
    const what = `${JSON.stringify(text)} is no fork point`;
    faults.push({ where: '--at', what, next: 'Write quiescent, warm, or a time into the run such as 0.25s' });
    return 'quiescent';
  }
  const point = canonicalPoint(text);
  const definition = workloads.get(workload)?.definition;
  if (definition === undefined) return point;
  const seconds = (forkPointMs(point, warmSeconds(definition, 'exact')) ?? 0) / 1000;
  if (seconds >= definition.deadline_s) {
    const what = `${text} must be before the deadline of ${workload}, ${definition.deadline_s} s`;
    faults.push({ where: '--at', what, next: 'A run that has not ended by its deadline is stopped there.' });
  }
  return point;
}

function chosenStates({ seeds }: Spec, { seed, block, blocks }: AskOptions, faults: Fault[]): AskedState[] {
  if (seed !== undefined) {
    if (block !== undefined || blocks !== undefined) {
      const what = 'a seed is one state; --block and --blocks take seeds from the spec';
      faults.push({ where: '--seed', what, next: 'Give one or the other.' });
    }
    return [{ seed: seed as Seed }];
  }
  return Array.from({ length: blocks ?? 1 }, (_, index) => {
    const number = (block ?? 0) + index;
    return { block: number, seed: deriveSeed(seeds.base, 'block', number) };
  });
}
