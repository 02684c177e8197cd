// SPDX-License-Identifier: Apache-2.0
import type { AskedFutures, Future, Futures } from '../runtime/mcp/parts.ts';
import type { Call } from '../runtime/mcp/tool.ts';
import { parseSpec } from '../spec/parse-spec.ts';
import type { Answer, PolicyAnswer } from '../whatif/answer.ts';
import { askWhatIf } from '../whatif/ask.ts';
import { questionOf } from '../whatif/ask-options.ts';
import type { Question } from '../whatif/question.ts';
import type { CommandContext } from './context.ts';
import { askInPlace, type OpenFork, openFork } from './fork-lab.ts';
import { workloadUse } from './trace-spec.ts';

/** Forks a machine for each policy, tells of each fork that ends, and gives what they did. */
export async function askFutures(
  asked: AskedFutures,
  call: Call,
  given: CommandContext,
  open: OpenFork = openFork,
): Promise<Futures> {
  const context: CommandContext = { ...given, signal: AbortSignal.any([given.signal, call.signal]) };
  const question = await questionFor(asked, context);
  const total = question.policies.length * question.states.length;
  let done = 0;
  call.progress(0, total, 'the machine is brought to the fork point');
  const { answer } = await askInPlace(
    question,
    { spec: 'what_if', json: true, jobs: 1 },
    context,
    open,
    (lab, keep) =>
      askWhatIf(
        question,
        {
          ...lab,
          watch(event) {
            if (event.kind !== 'recorded') return;
            const { policy, state } = event.record;
            call.progress(++done, total, `${policy}: ${state}`);
          },
        },
        context.signal,
        keep,
      ),
  );
  return futuresOf(question, answer);
}

/** Checked as any spec: a wrong name is told with the ones there are. */
async function questionFor(asked: AskedFutures, context: CommandContext): Promise<Question> {
  const catalog = await context.catalog();
  const text = JSON.stringify({
    name: 'what-if',
    image: asked.image,
    policies: asked.policies,
    workloads: [workloadUse(asked.workload)],
    machine: { engine: 'exact', vcpus: asked.vcpus },
    baseline: 'eevdf',
    seeds: { base: 1, count: Math.max(2, asked.states) },
  });
  return questionOf(parseSpec(text, 'what_if', catalog), { at: asked.at, blocks: asked.states }, catalog);
}

function futuresOf({ workload, point, states }: Question, answer: Answer): Futures {
  const metrics = answer.states.flatMap(({ futures }) => futures.flatMap(({ metrics: own }) => own));
  const metric = metrics.find(({ primary }) => primary);
  return {
    workload: workload.workload,
    variant: workload.variant,
    at: String(point),
    states: states.length,
    ...(metric === undefined
      ? {}
      : { metric: { name: metric.name, unit: metric.unit, direction: metric.direction } }),
    policies: answer.policies.map((policy, column) => futureOf(policy, answer, column)),
  };
}

function futureOf(
  { policy, completed, median, ratio, verdict }: PolicyAnswer,
  { states }: Answer,
  column: number,
): Future {
  const failures = states.flatMap(({ futures }) => {
    const future = futures[column];
    return future === undefined || future.state === 'completed'
      ? []
      : [`${future.state}: ${future.reason ?? 'no reason known'}`];
  });
  return {
    policy,
    completed,
    ...(median === undefined ? {} : { median }),
    ...(ratio.kind === 'none'
      ? {}
      : {
          ratio: {
            ratio: ratio.ratio,
            ...(ratio.kind === 'interval' ? { low: ratio.low, high: ratio.high } : {}),
          },
        }),
    ...(verdict === undefined ? {} : { verdict }),
    failures,
  };
}
