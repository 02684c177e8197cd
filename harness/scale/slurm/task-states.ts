// SPDX-License-Identifier: Apache-2.0

/** What Slurm says of one task of a job. */
export interface TaskState {
  /** Slurm's number of the job. */
  readonly job: string;
  /** Absent for a job that is no array. */
  readonly task?: number;
  /** Slurm's word, such as `RUNNING`, without what follows it. */
  readonly state: string;
  /** Where it runs or ran. */
  readonly node?: string;
  /** It waits until somebody releases it: Slurm could not start it, which a restart of its controller is enough for. */
  readonly held?: true;
}

/** A task as Slurm writes it. */
export function keyOf({ job, task }: TaskState): string {
  return task === undefined ? job : `${job}_${task}`;
}

const HELD = /^launch failed requeued held$/;

/** The states in which a task may yet do something. All others are ends, but for one that Slurm is about to requeue. */
const ALIVE: ReadonlySet<string> = new Set([
  'PENDING',
  'RUNNING',
  'REQUEUED',
  'REQUEUE_HOLD',
  'REQUEUE_FED',
  'RESIZING',
  'SUSPENDED',
  'CONFIGURING',
  'COMPLETING',
  'SIGNALING',
  'SPECIAL_EXIT',
  'STAGE_OUT',
  'STOPPED',
]);

export function isAlive({ state }: Pick<TaskState, 'state'>): boolean {
  return ALIVE.has(state);
}

/** Reads lines of `JobID|State|NodeList|Reason`, as `sacct --parsable2 --noheader` (without reason) and squeue print them; steps of jobs are left out. */
export function parseStates(text: string): TaskState[] {
  return text.split('\n').flatMap((line) => {
    const [id = '', words = '', nodes = '', reason = ''] = line.split('|');
    const [, job, tasks] = /^(\d+)(?:_(\d+|\[[^\]]*\]))?$/.exec(id.trim()) ?? [];
    if (job === undefined) return [];
    // `CANCELLED by 1000`, and `CANCELLED+` where a column is too narrow.
    const state = /^[A-Z_]+/.exec(words.trim())?.[0] ?? 'UNKNOWN';
    const node = /^(?:None assigned|)$/.test(nodes.trim()) ? {} : { node: nodes.trim() };
    const more = HELD.test(reason.trim()) ? { ...node, held: true as const } : node;
    if (tasks === undefined) return [{ job, state, ...more }];
    return parseTasks(tasks).map((task) => ({ job, task, state, ...more }));
  });
}

/** `7`, or `[1-3,7,10-20:5%2]` for tasks that wait together. */
function parseTasks(text: string): number[] {
  if (!text.startsWith('[')) return [Number(text)];
  const list = text.slice(1, -1).replace(/%\d+$/, '');
  return list.split(',').flatMap((part) => {
    const [, first, last, step] = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part) ?? [];
    if (first === undefined) return [];
    const found: number[] = [];
    for (let task = Number(first); task <= Number(last ?? first); task += Number(step ?? 1)) found.push(task);
    return found;
  });
}

/** Numbers as `--array` takes them: `1-3,7`. */
export function formatTasks(tasks: readonly number[]): string {
  const sorted = [...tasks].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const task of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === task - 1) last[1] = task;
    else ranges.push([task, task]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
