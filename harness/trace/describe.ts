// SPDX-License-Identifier: Apache-2.0
import { printable } from '../core/printable.ts';
import { rate } from './compare.ts';
import { OUTSIDE, wakeUpGraph } from './figures.ts';
import type { Operation, Trace, TracedTask } from './trace.ts';

type Cells = Readonly<Record<string, string>>;

/** How many rows each table shows. */
const MOST = 10;

/** A trace in words: where it comes from, what happened a second, who woke whom most, who used the CPUs. */
export function describeTrace(trace: Trace, align: (rows: readonly Cells[]) => readonly string[]): string[] {
  const { figures, tasks } = trace;
  const perSecond = (amount: number) => rate(amount, figures).toFixed(0);
  const average = (ns: number) => (ns / figures.durationNs).toFixed(2);
  const involuntary = percent(figures.preemptions, figures.switches);
  const table = (rows: readonly Cells[]) => align(rows).map((line) => `  ${line}`);
  return [
    ...originLines(trace).map(printable),
    `${tasks.length} tasks, ${(figures.durationNs / 1e9).toFixed(3)} s`,
    `${perSecond(figures.switches)} switches/s; after ${involuntary} of them the task could have gone on`,
    `${average(figures.runNs)} CPUs used, ${average(figures.runnableNs)} tasks waiting for one, on average`,
    ...(figures.lost === 0 ? [] : [`${figures.lost} events are lost: what is shown is not all`]),
    '',
    'woken most often',
    ...table(edgeRows(tasks)),
    '',
    'most CPU time',
    ...table(taskRows(tasks)),
  ];
}

function originLines({ origin }: Trace): string[] {
  const { workload, variant, policy, seed, engine, image, kernel, cpus, command } = origin;
  const what = workload === undefined ? command.join(' ') : `${workload} ${variant ?? ''}`;
  const under = policy === undefined ? '' : ` under ${policy}`;
  const seeded = seed === undefined ? '' : `, seed ${seed}`;
  const where =
    engine === undefined ? 'recorded on a host' : `recorded on ${engine}, image ${image ?? 'unknown'}`;
  return [`${what}${under}${seeded}`, `${where}: kernel ${kernel}, ${cpus} CPUs`];
}

/** Wake-ups by the names of both, most first. */
function edgeRows(tasks: readonly TracedTask[]): Cells[] {
  const edges = [...wakeUpGraph(tasks, (id) => tasks[id]?.name)].sort(([, a], [, b]) => b - a);
  const total = edges.reduce((sum, [, count]) => sum + count, 0);
  const rows = edges.slice(0, MOST).map(([edge, count]) => {
    const at = edge.indexOf('>');
    const [waker, woken] = [edge.slice(0, at), edge.slice(at + 1)].map((name) => printable(name)) as [
      string,
      string,
    ];
    const by = waker === OUTSIDE ? '(timer, device, other)' : waker;
    return { waker: by, woken, times: String(count), share: percent(count, total) };
  });
  return rows.length === 0 ? [{ waker: '-', woken: '-', times: '0', share: '-' }] : rows;
}

function taskRows(tasks: readonly TracedTask[]): Cells[] {
  const count = (operations: readonly Operation[], wanted: readonly Operation['do'][]) =>
    operations.filter((each) => wanted.includes(each.do)).length;
  return tasks
    .map(({ name, operations }, id) => ({
      ...{ id, name, operations },
      ns: operations.reduce((sum, each) => sum + (each.do === 'run' ? each.ns : 0), 0),
    }))
    .sort((a, b) => b.ns - a.ns)
    .slice(0, MOST)
    .map(({ id, name, operations, ns }) => ({
      task: `${id} ${printable(name)}`,
      'CPU s': (ns / 1e9).toFixed(4),
      waits: String(count(operations, ['wait', 'waitEnd'])),
      sleeps: String(count(operations, ['sleep', 'period'])),
      wakes: String(count(operations, ['wake'])),
      starts: String(count(operations, ['start'])),
    }));
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${((100 * part) / whole).toFixed(1)} %`;
}
