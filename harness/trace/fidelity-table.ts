// SPDX-License-Identifier: Apache-2.0
import { formatCell } from '../core/csv.ts';
import { type Comparison, rate } from './compare.ts';

/** One workload, recorded and played. */
export interface FidelityRow {
  readonly workload: string;
  readonly variant: string;
  readonly tasks?: number;
  /** Of the trace file. */
  readonly bytes?: number;
  readonly comparison?: Comparison;
  /** CPU time of the replay beyond what was recorded, over all of it. */
  readonly excess?: number;
  /** Why there is no comparison. */
  readonly reason?: string;
}

/** How far a replay may be off. */
const TOLERANCE = 0.1;

/** Which of the three figures are within the tolerance. */
export function verdictOf({ switchRatio, runnableRatio, graphDistance }: Comparison) {
  return {
    switches: Math.abs(switchRatio - 1) <= TOLERANCE,
    // Nothing to wait for in the original: nothing that a ratio could tell.
    runnable: runnableRatio === undefined || Math.abs(runnableRatio - 1) <= TOLERANCE,
    graph: graphDistance <= TOLERANCE,
  };
}

export function holds(comparison: Comparison): boolean {
  return Object.values(verdictOf(comparison)).every((each) => each);
}

const COLUMNS = [
  ...['workload', 'variant', 'tasks', 'trace_bytes', 'duration_s', 'replay_duration_s'],
  ...['switches_per_s', 'replay_switches_per_s', 'switch_ratio', 'own_switch_ratio'],
  ...['runnable_s_per_s', 'replay_runnable_s_per_s', 'runnable_ratio'],
  ...['wake_ratio', 'graph_distance', 'excess', 'within', 'reason'],
];

/** A line a workload; columns in results/README.md. */
export function fidelityCsv(rows: readonly FidelityRow[]): string {
  const lines = rows.map(({ workload, variant, tasks, bytes, comparison: c, excess, reason }) => {
    const figures =
      c === undefined
        ? Array(11).fill(undefined)
        : [
            ...[c.original.durationNs / 1e9, c.replay.durationNs / 1e9],
            ...[
              rate(c.original.switches, c.original),
              rate(c.replay.switches, c.replay),
              c.switchRatio,
              c.ownSwitchRatio,
            ],
            rate(c.original.runnableNs, c.original) / 1e9,
            ...[rate(c.replay.runnableNs, c.replay) / 1e9, c.runnableRatio],
            ...[c.wakeRatio, c.graphDistance],
          ];
    const within = c === undefined ? undefined : holds(c);
    return [workload, variant, tasks, bytes, ...figures, excess, within, reason].map(formatCell).join(',');
  });
  return `${[COLUMNS.join(','), ...lines].join('\n')}\n`;
}

/** One line for a terminal. */
export function fidelityLine({ workload, tasks, comparison, reason }: FidelityRow): string {
  if (comparison === undefined) return `${workload}: ${reason}`;
  const { switchRatio, ownSwitchRatio, runnableRatio, graphDistance, original, replay } = comparison;
  const { switches, runnable, graph } = verdictOf(comparison);
  const mark = (good: boolean) => (good ? '' : ' !');
  return [
    `${workload.padEnd(20)} ${String(tasks).padStart(4)} tasks`,
    `${rate(original.switches, original).toFixed(0)} switches/s x${switchRatio.toFixed(3)}${mark(switches)} (own x${ownSwitchRatio.toFixed(3)})`,
    `${(rate(original.runnableNs, original) / 1e9).toFixed(3)} runnable x${(runnableRatio ?? Number.NaN).toFixed(3)}${mark(runnable)}`,
    `graph ${graphDistance.toFixed(4)}${mark(graph)}`,
    `${(original.durationNs / 1e9).toFixed(3)} s, ${(replay.durationNs / 1e9).toFixed(3)} s`,
  ].join('  ');
}

/** The same for people; `made` says by what. */
export function fidelityMarkdown(rows: readonly FidelityRow[], made: string): string {
  const all = rows.flatMap(({ comparison }) => (comparison === undefined ? [] : [verdictOf(comparison)]));
  const count = (of: (verdict: ReturnType<typeof verdictOf>) => boolean) =>
    `${all.filter(of).length} of ${rows.length}`;
  const head = [
    ...[
      'workload',
      'tasks',
      'switches/s',
      'replay',
      'ratio',
      'own, ratio',
      'waiting for a CPU',
      'replay',
      'ratio',
    ],
    ...['wake-ups, ratio', 'graph distance', 'within 10 %'],
  ];
  const rule = head.map((_title, at) => (at === 0 || at === head.length - 1 ? ' --- ' : ' ---: '));
  return `${[
    `${made}`,
    '',
    `Within 10 %: ${count(({ switches }) => switches)} in switches a second, ${count(({ runnable }) => runnable)} in time that tasks wait for a CPU, ${count(({ graph }) => graph)} in who wakes whom; ${count((each) => each.switches && each.runnable && each.graph)} in all three.`,
    '`own`: switches without those for tasks that are not in the trace, such as threads of the kernel.',
    '`waiting for a CPU`: tasks, on average over time. Columns: results/README.md.',
    '',
    `| ${head.join(' | ')} |`,
    `|${rule.join('|')}|`,
    ...rows.map((row) => markdownRow(row, head.length)),
  ].join('\n')}\n`;
}

function markdownRow({ workload, tasks, comparison, reason }: FidelityRow, columns: number): string {
  if (comparison === undefined) {
    return `| ${[workload, ...Array(columns - 2).fill(''), reason].join(' | ')} |`;
  }
  const { original, replay, switchRatio, ownSwitchRatio, runnableRatio, wakeRatio, graphDistance } =
    comparison;
  const misses = Object.entries(verdictOf(comparison)).filter(([, good]) => !good);
  const waiting = [original, replay].map((figures) => (rate(figures.runnableNs, figures) / 1e9).toFixed(4));
  const cells = [
    ...[workload, String(tasks), rate(original.switches, original).toFixed(0)],
    ...[rate(replay.switches, replay).toFixed(0), switchRatio.toFixed(3), ownSwitchRatio.toFixed(3)],
    ...[...waiting, runnableRatio?.toFixed(3) ?? '', wakeRatio?.toFixed(3) ?? '', graphDistance.toFixed(4)],
    misses.length === 0 ? 'yes' : `no: ${misses.map(([name]) => name).join(', ')}`,
  ];
  return `| ${cells.join(' | ')} |`;
}
