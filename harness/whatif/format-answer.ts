// SPDX-License-Identifier: Apache-2.0
import { LEAST_BLOCKS } from '../../analysis/stats/verdict.ts';
import { formatRatio, formatValue } from '../../analysis/tables/cells.ts';
import type { Metric } from '../core/metric.ts';
import { printable } from '../core/printable.ts';
import type { Answer, Future, PolicyAnswer, StateAnswer } from './answer.ts';
import type { Question } from './question.ts';

type Cells = Readonly<Record<string, string>>;
type Align = (rows: readonly Cells[]) => readonly string[];

/** What stands for a value that does not exist. */
const MISSING = '-';

/** An answer for people; `align` makes the lines of a table. */
export function formatAnswer(answer: Answer, align: Align): string[] {
  const { states } = answer;
  const metric = states
    .flatMap(({ futures }) => futures.flatMap(({ metrics }) => metrics))
    .find((m) => m.primary);
  const table = (rows: readonly Cells[]) => align(rows).map((line) => `  ${line}`);
  const [only] = states;
  const title = `${questionWords(answer.question)}: ${metricWords(metric)}`;
  const body =
    states.length === 1 && only !== undefined
      ? table(only.futures.map((future) => futureRow(future, metric?.name ?? 'value', answer.question)))
      : table(answer.policies.map((policy) => policyRow(policy, states, answer.question)));
  return [printable(title), ...body, ...reasons(answer), '', ...notes(answer).map((note) => `* ${note}`)];
}

/** `hackbench groups=2 at warm, block 0 (seed 7): 4 vCPUs`. */
export function questionWords({ workload, point, states, machine }: Question): string {
  const from = states.length === 1 ? stateWords(states[0] as StateAnswer) : `${states.length} states`;
  return `${workload.workload} ${workload.variant} at ${point}, ${from}, ${machine.vcpus} vCPUs`;
}

function stateWords({ block, seed }: Pick<StateAnswer, 'block' | 'seed'>): string {
  return block === undefined ? `seed ${seed}` : `block ${block} (seed ${seed})`;
}

function metricWords(metric: Metric | undefined): string {
  if (metric === undefined) return 'no metric was measured';
  return `${metric.name} (${metric.unit}, ${metric.direction} is better)`;
}

function futureRow(future: Future, metric: string, { baseline }: Question): Cells {
  const isBaseline = future.policy === baseline;
  return {
    policy: future.policy,
    [metric]: future.value === undefined ? MISSING : formatValue(future.value),
    ratio:
      isBaseline && future.value !== undefined
        ? '1'
        : future.ratio === undefined
          ? MISSING
          : formatRatio(future.ratio),
    difference: isBaseline ? MISSING : signed(future.difference),
    voluntary: future.voluntarySwitches === undefined ? MISSING : String(future.voluntarySwitches),
    involuntary: future.involuntarySwitches === undefined ? MISSING : String(future.involuntarySwitches),
    outcome: future.state,
    'fork took': `${future.hostSeconds.toFixed(1)} s`,
  };
}

function policyRow(
  answer: PolicyAnswer,
  states: readonly StateAnswer[],
  { baseline, policies }: Question,
): Cells {
  const column = policies.indexOf(answer.policy);
  const futures = states.map((state) => state.futures[column] as Future);
  const { ratio } = answer;
  const isBaseline = answer.policy === baseline;
  return {
    policy: answer.policy,
    median: answer.median === undefined ? MISSING : formatValue(answer.median),
    ratio: isBaseline ? '1' : ratio.kind === 'none' ? MISSING : formatRatio(ratio.ratio),
    '95 % interval':
      isBaseline || ratio.kind !== 'interval'
        ? MISSING
        : ratio.zeroWidth
          ? 'no spread'
          : `${formatRatio(ratio.low)} to ${formatRatio(ratio.high)}`,
    verdict: isBaseline ? 'baseline' : (answer.verdict ?? MISSING),
    difference: isBaseline ? MISSING : signed(answer.meanDifference),
    voluntary: meanOf(futures.flatMap(({ voluntarySwitches }) => voluntarySwitches ?? [])),
    involuntary: meanOf(futures.flatMap(({ involuntarySwitches }) => involuntarySwitches ?? [])),
    completed: `${answer.completed} of ${states.length}`,
    'fork took': `${meanOf(
      futures.map(({ hostSeconds }) => hostSeconds),
      1,
    )} s`,
  };
}

function reasons({ states }: Answer): string[] {
  const lines = states.flatMap((state) =>
    state.futures.flatMap(({ policy, state: outcome, reason }) =>
      reason === undefined ? [] : [printable(`  ${policy}, ${stateWords(state)}: ${outcome}: ${reason}`)],
    ),
  );
  return lines.length === 0 ? [] : ['', ...lines];
}

function notes({ question, states, policies }: Answer): string[] {
  return [
    ...states.map((state) => snapshotNote(state, states.length > 1)),
    'exact: all forks share every bit up to the fork point, and after it differ by the policy alone; time is instructions, not cycles',
    `ratio, difference: to ${question.baseline} from the same state${
      states.length > 1 ? '; difference: mean; interval: 95 %, paired t on logarithms' : ''
    }`,
    ...(states.length > 1 && policies.some(({ verdict }) => verdict !== undefined)
      ? [
          `verdict: as in pmvx analyze, each state a block: at least ${LEAST_BLOCKS}, corrected over all policies`,
        ]
      : []),
    `voluntary, involuntary: context switches of the run's processes${
      question.point === 'quiescent' ? '' : ', also those before the fork point, which all share'
    }${states.length > 1 ? ', mean' : ''}`,
  ];
}

function snapshotNote(state: StateAnswer, many: boolean): string {
  const { snapshot, forkVirtualNs } = state;
  const whose = many ? `${stateWords(state)}: ` : '';
  if (snapshot === undefined) return `${whose}no fork point was reached`;
  const { key, made, seconds } = snapshot;
  const when =
    forkVirtualNs === undefined
      ? ''
      : `, ${(forkVirtualNs / 1e9).toFixed(6)} s of virtual time after power-on`;
  return `${whose}snapshot ${key} was ${made ? `made in ${seconds.toFixed(1)} s` : 'there'}${when}`;
}

function signed(value: number | undefined): string {
  if (value === undefined) return MISSING;
  return value > 0 ? `+${formatValue(value)}` : formatValue(value);
}

function meanOf(values: readonly number[], digits = 0): string {
  if (values.length === 0) return MISSING;
  return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(digits);
}
