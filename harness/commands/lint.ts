// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, formatFault, PmvxError } from '../core/errors.ts';
import { packageName } from '../core/image-contents.ts';
import { didYouMean } from '../core/nearest.ts';
import { defaultParameters } from '../core/parameters.ts';
import type { Policy } from '../core/policy.ts';
import { deriveSeed } from '../core/seed.ts';
import type { TrialRecord } from '../core/trial.ts';
import type { Workload } from '../core/workload.ts';
import { type Check, checked } from '../scaffold/check.ts';
import { checkDriver } from '../scaffold/check-driver.ts';
import { checkPolicies } from '../scaffold/check-policies.ts';
import { checkPolicy } from '../scaffold/check-policy.ts';
import { checkWorkload } from '../scaffold/check-workload.ts';
import { variantName } from '../spec/parameters.ts';
import { forkTrials } from '../whatif/fork-trials.ts';
import type { Question } from '../whatif/question.ts';
import type { CommandContext } from './context.ts';
import { type OpenFork, openFork } from './fork-lab.ts';

export interface LintArgs {
  /** A workload or a policy; all when absent. */
  readonly name?: string;
  /** Also runs it on the exact engine. */
  readonly trial?: boolean;
}

/**
 * `pmvx lint [NAME] [--trial]`: checks a workload or a policy, a line for each check. What reading the catalog found wrong comes first. With `trial` one seed is run twice and another once: equal seeds must give equal bytes, others must not.
 */
export async function lintCommand(
  { name, trial }: LintArgs,
  context: CommandContext,
  open: OpenFork = openFork,
): Promise<ExitCode> {
  const catalog = await context.catalog();
  const workloads = [...catalog.workloads.values()].filter(({ id }) => name === undefined || id === name);
  const policies = [...catalog.policies.values()].filter(({ id }) => name === undefined || id === name);
  const broken = [...(catalog.broken ?? [])].filter(
    ([folder]) => name === undefined || folder.endsWith(`/${name}`),
  );
  if (workloads.length + policies.length + broken.length === 0) {
    const known = [...catalog.workloads.keys(), ...catalog.policies.keys()];
    const what = `there is no workload or policy ${JSON.stringify(name)}`;
    throw new PmvxError(ExitCode.usage, { what, next: didYouMean(name ?? '', known) });
  }
  let faults = 0;
  const say = (id: string, checks: readonly Check[]): void => {
    for (const { what, fault } of checks) {
      context.write(fault === undefined ? `ok    ${id}: ${what}` : `FAULT ${id}: ${what}: ${fault}`);
      if (fault !== undefined) faults++;
    }
  };
  for (const [folder, all] of broken)
    for (const fault of all) say(folder, [{ what: 'its definition', fault: formatFault(fault) }]);
  for (const workload of workloads) {
    say(workload.id, [
      { what: 'workload.yaml is valid' },
      ...(await checkWorkload(context.root, workload)),
      ...(await checkDriver(context.root, workload)),
    ]);
    if (trial) say(workload.id, await checkTrials(workload, 'eevdf', catalog, context, open));
  }
  for (const policy of policies) {
    say(policy.id, [{ what: 'policy.yaml is valid' }, ...(await checkPolicy(context.root, policy))]);
    const hackbench = catalog.workloads.get('hackbench');
    if (trial && hackbench) say(policy.id, await checkTrials(hackbench, policy.id, catalog, context, open));
  }
  if (policies.length > 0) say('policies', checkPolicies([...catalog.policies.values()]));
  return faults === 0 ? ExitCode.ok : ExitCode.usage;
}

/** The image that has all that is needed: the first that does, in the order of names from the end, so that quick is tried before full. */
function imageFor(workload: Workload, policy: Policy, { images }: Catalog): string | undefined {
  const names = [...(images ?? [])].sort(([a], [b]) => (a < b ? 1 : -1));
  return names.find(([, { packages, crates }]) => {
    const there = new Set(packages.map(packageName));
    const { definition } = policy;
    const crate = definition.kind === 'process' ? definition.crate : undefined;
    return (
      workload.definition.packages.every((each) => there.has(packageName(each))) &&
      (crate === undefined || crates.includes(crate))
    );
  })?.[0];
}

async function checkTrials(
  workload: Workload,
  policyId: string,
  catalog: Catalog,
  context: CommandContext,
  open: OpenFork,
): Promise<Check[]> {
  const policy = catalog.policies.get(policyId) as Policy;
  const image = imageFor(workload, policy, catalog);
  if (image === undefined) return [{ what: 'a trial on exact', fault: 'no image has all that it needs' }];
  const params = defaultParameters(workload.definition);
  const [one, other] = [deriveSeed(1, 'lint'), deriveSeed(2, 'lint')];
  const question: Question = {
    image,
    machine: {
      engine: 'exact',
      vcpus: 4,
      memoryMiB: 2048,
      speed: 250,
      quantum: 5000,
      topology: { nodes: 1, sockets: 1, cores: 4, threads: 1 },
    },
    workload: { workload: workload.id, variant: variantName(params), params },
    point: 'quiescent',
    policies: [policyId],
    baseline: policyId,
    states: [{ seed: one }, { seed: one }, { seed: other }],
  };
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-lint-'));
  try {
    const fork = await open(question, context);
    const lab = { fork, catalog, consoles: folder, jobs: 1 };
    const ended = await forkTrials(question, lab, context.signal);
    return trialChecks(ended.map(({ record }) => record));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function trialChecks(records: readonly TrialRecord[]): Check[] {
  const [first, again, other] = records as [TrialRecord, TrialRecord, TrialRecord];
  const bad = records.find(({ state }) => state !== 'completed');
  if (bad !== undefined && bad.state !== 'completed')
    return [{ what: 'a trial on exact', fault: `${bad.state}: ${bad.reason}` }];
  return [
    { what: 'a trial on exact' },
    checked(
      'the same seed repeats',
      first.transcript === again.transcript ? [] : ['two runs of one seed differ'],
    ),
    checked(
      'another seed differs',
      first.transcript !== other.transcript ? [] : ['another seed gave the same bytes'],
    ),
  ];
}
