// SPDX-License-Identifier: Apache-2.0
import { formatCsv } from '../../core/csv.ts';
import type { Bound, Case, SiteCosts } from './cases.ts';
import type { Check } from './checks.ts';
import { BOOT_SECONDS, IMAGE_MIB, MATRIX, SNAPSHOT_MIB } from './inputs.ts';
import type { Measured } from './measured.ts';
import type { Outcome } from './scale-out.ts';

export interface CaseRow {
  readonly each: Case;
  readonly outcome: Outcome;
  readonly bounds: readonly Bound[];
}

const HOUR = 3600;

/** One line a case; times in seconds, core-hours as named. */
export function scaleCsv(rows: readonly CaseRow[]): string {
  const header = [
    ...[
      'cores',
      'unit',
      'slots_a_task',
      'distribution',
      'gbit_s',
      'makespan_s',
      'work_core_h',
      'held_core_h',
    ],
    ...[
      'utilisation',
      'ready_s',
      'last_trial_s',
      'store_s',
      'collector_s',
      'launcher_s',
      'saturated',
      'bound_s',
    ],
  ];
  return formatCsv(
    header,
    rows.map(({ each, outcome, bounds }) => [
      ...[each.cores, each.unit, each.slotsATask, each.way, each.gbitS, outcome.makespan],
      ...[
        outcome.work / HOUR,
        outcome.held / HOUR,
        outcome.utilisation,
        outcome.readyAt,
        outcome.lastTrialAt,
      ],
      ...[outcome.storeSeconds, outcome.collectorSeconds, outcome.launcherSeconds],
      ...[bounds[0]?.resource, bounds[0]?.seconds],
    ]),
  );
}

export interface Page {
  readonly rows: readonly CaseRow[];
  readonly checks: readonly Check[];
  readonly costs: SiteCosts;
  readonly measured: Measured;
}

export function scaleMarkdown({ rows, checks, costs, measured }: Page): string {
  const trials = MATRIX.workloads * MATRIX.policies * MATRIX.seeds;
  return `## What more cores would bring

Made by \`node harness/scale/model/main.ts\`: a simulation, not a measurement, of ${MATRIX.workloads} workloads under ${MATRIX.policies} policies with
${MATRIX.seeds} seeds, ${trials} trials, on nodes of 16 cores. "Saturated" is the resource that alone would take longest, with that time;
phases that follow each other add up, so the makespan is longer. The last row is of a task that the product does not offer, and hangs on the start of a
task by the batch system, which accounting in whole seconds resolves badly.

| cores | task | cores a task | image and boot | Gbit/s | makespan | core-hours of trials | core-hours held | utilisation | saturated |
|--:|:--|--:|:--|--:|--:|--:|--:|--:|:--|
${rows.map(caseLine).join('\n')}

### Inputs

| input | value | source |
|:--|--:|:--|
| seconds of a trial | by workload | \`matrix/trials.jsonl\`, \`host.seconds\`: 21 trials of each workload, drawn with replacement; first ${MATRIX.workloads} workloads by name; refused trials are among them |
| proof and boot, once | ${costs.prepareSeconds.toFixed(1)} s | \`matrix\`: longest time without a trial (20 policies prepared, other work on the host) |
| boot on a node | ${BOOT_SECONDS} s | \`harness/lab/README.md\`, 4 vCPUs, quantum 5000 |
| image and boot | ${IMAGE_MIB} and ${SNAPSHOT_MIB} MiB | \`du\` of image \`runtime\` and of a snapshot of its boot. Image \`full\` was not at hand |
| a task besides its trials | ${costs.taskSeconds.toFixed(2)} s | first run on the local Slurm cluster, \`scale-measured.json\`; two cores had other work |
| queue | ${costs.queueSeconds.toFixed(2)} s | the same run: time of the command in which no task ran. A site with other users has a longer one |
| start of a task by the batch system | ${costs.launchSeconds.toFixed(2)} s | mean gap between tasks on a node, all four runs; taken as one after another, which is pessimistic |
| collecting a record | ${(costs.recordSeconds * 1000).toFixed(2)} ms | ${measured.record.records} records of \`matrix\` appended one by one, each on disk |
| bandwidth | 10 or 1 Gbit/s | assumed, not measured: one link for the store, one for each node |

### Held against runs that were measured

Predicted from what the trials of the run took, in the order in which they started; measured from the first start to the last end (Slurm: the whole command).
The pause is the longest time in which no trial ran (proof, boot). It is taken from the run itself, so that column checks the queue of trials alone.
The runs on Slurm are predicted with the costs of a task of a fourth run, which is not in the table. In \`vectors-2\` one trial ran alone for the
first 9 s, so no time without a trial is seen, and the model, which fills both places, is short.

| run | trials | at once | measured, s | predicted, s | error | with the pause, s | error |
|:--|--:|--:|--:|--:|--:|--:|--:|
${checks.map(checkLine).join('\n')}

Not in the model: that 16 machines of a node slow each other down (measured were two), failing nodes, other users, other processors. Trials of Slurm runs
were mock trials on ${measured.cores} cores (${measured.processor}), load ${measured.loadBefore.toFixed(1)} before.
`;
}

function caseLine({ each, outcome, bounds }: CaseRow): string {
  const [first] = bounds;
  const cells = [
    ...[each.cores, each.unit, each.slotsATask, each.way, each.way === 'on the node' ? '' : each.gbitS],
    ...[duration(outcome.makespan), (outcome.work / HOUR).toFixed(1), (outcome.held / HOUR).toFixed(1)],
    `${(outcome.utilisation * 100).toFixed(1)} %`,
    first === undefined ? '' : `${first.resource}, ${duration(first.seconds)}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function checkLine({ run, trials, atOnce, measured, predicted, withPause }: Check): string {
  const error = (value: number) => `${((value / measured - 1) * 100).toFixed(1)} %`;
  const paused = withPause === undefined ? ['', ''] : [withPause.toFixed(1), error(withPause)];
  const cells = [run, trials, atOnce, measured.toFixed(1), predicted.toFixed(1), error(predicted), ...paused];
  return `| ${cells.join(' | ')} |`;
}

function duration(seconds: number): string {
  return seconds < 600
    ? `${seconds.toFixed(0)} s`
    : seconds < 2 * HOUR
      ? `${(seconds / 60).toFixed(1)} min`
      : `${(seconds / HOUR).toFixed(2)} h`;
}
