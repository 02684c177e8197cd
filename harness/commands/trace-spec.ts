// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial } from '../core/trial.ts';
import { planTrials } from '../plan/plan.ts';
import { parseSpec } from '../spec/parse-spec.ts';
import { readSpec } from '../spec/read-spec.ts';
import { questionOf } from '../whatif/ask-options.ts';

/** What to record, as asked for. */
export interface TraceTarget {
  /** A spec's file, or a workload with parameters: `hackbench:groups=2,loops=60`. */
  readonly target: string;
  /** Of a spec: which of its workloads, `hackbench` or `hackbench:groups=2`; its first when absent. */
  readonly workload?: string;
  readonly policy?: string;
  readonly image?: string;
  readonly engine?: string;
  readonly vcpus?: number;
  readonly block?: number;
}

/** The machine and the one trial to record. Throws PmvxError for what no spec could ask for. */
export async function traceSpec(
  asked: TraceTarget,
  catalog: Catalog,
): Promise<{ readonly spec: Spec; readonly planned: PlannedTrial }> {
  const isFile = /\.(ya?ml|json)$/.test(asked.target);
  const spec = isFile ? await readSpec(asked.target, catalog) : workloadSpec(asked, catalog);
  const { block, workload } = asked;
  const question = questionOf(
    spec,
    { ...(block === undefined ? {} : { block }), ...(isFile && workload !== undefined ? { workload } : {}) },
    catalog,
  );
  const policy = isFile ? (asked.policy ?? spec.policies[0]) : spec.policies[0];
  const [planned] = planTrials({
    ...spec,
    workloads: [question.workload],
    policies: [policy as string],
    points: ['quiescent'],
    controls: [],
    seeds: { base: spec.seeds.base, count: (block ?? 0) + 1 },
  }).trials.filter((trial) => trial.block === (block ?? 0));
  if (planned === undefined) throw new PmvxError(ExitCode.usage, { what: 'the spec has no trial to record' });
  return { spec: { ...spec, policies: [planned.policy] }, planned };
}

/** A spec of one workload, checked like any other. */
function workloadSpec(
  { target, policy = 'eevdf', image = 'quick', engine, vcpus }: TraceTarget,
  catalog: Catalog,
): Spec {
  const text = JSON.stringify({
    ...{ name: 'trace', image, policies: [policy], baseline: policy },
    workloads: [workloadUse(target)],
    machine: { ...(engine === undefined ? {} : { engine }), ...(vcpus === undefined ? {} : { vcpus }) },
  });
  return parseSpec(text, 'what to record', catalog);
}

/** `hackbench:groups=2,loops=60` as a spec writes it. */
export function workloadUse(text: string): {
  readonly use: string;
  readonly with?: Readonly<Record<string, string | number>>;
} {
  const [use = '', ...rest] = text.split(':');
  const given = rest
    .join(':')
    .split(',')
    .filter((part) => part !== '');
  const values = Object.fromEntries(
    given.map((part) => {
      const [name = '', ...value] = part.split('=');
      const written = value.join('=');
      return [name, /^-?\d{1,15}$/.test(written) ? Number(written) : written];
    }),
  );
  return { use, ...(given.length === 0 ? {} : { with: values }) };
}
