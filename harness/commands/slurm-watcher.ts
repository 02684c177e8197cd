// SPDX-License-Identifier: Apache-2.0
import { styleText } from 'node:util';
import type { PlannedTrial } from '../core/trial.ts';
import type { RunWatcher } from '../run/events.ts';
import { LiveLine } from '../run/live-line.ts';
import { type Paint, Progress } from '../run/progress.ts';
import { isAlive, type TaskState } from '../scale/slurm/task-states.ts';
import type { CommandContext } from './context.ts';
import { COLOURS, wantsColour } from './run-watcher.ts';

/** Where nobody redraws a line, what tasks do is told no oftener. */
const TELL_EVERY_MS = 10_000;

export interface SlurmWatcher {
  readonly watch: RunWatcher;
  readonly tell: (states: readonly TaskState[]) => void;
  readonly warn: (line: string) => void;
  end(): void;
}

/** Shows a run on Slurm as it goes: a line a trial, and what tasks do. */
export function watchSlurm(trials: readonly PlannedTrial[], context: CommandContext): SlurmWatcher {
  const paint: Paint = wantsColour(context)
    ? (tone, text) => styleText(COLOURS[tone], text, { validateStream: false })
    : (_tone, text) => text;
  const progress = new Progress(trials, 1, paint);
  const live = context.isTTY && context.env.TERM !== 'dumb' ? new LiveLine(process.stdout) : undefined;
  const print = (line: string) => (live === undefined ? context.write(line) : live.print(line));
  let told = '';
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    watch: (event) => {
      const line = progress.note(event, performance.now() / 1000);
      if (line !== undefined) print(line);
    },
    tell: (states) => {
      const line = describeTasks(states);
      if (live !== undefined) return live.status(line);
      const now = performance.now();
      if (line === told || now < toldAt + TELL_EVERY_MS) return;
      told = line;
      toldAt = now;
      print(line);
    },
    warn: (line) => (live === undefined ? context.warn(`pmvx: ${line}`) : live.print(`pmvx: ${line}`)),
    end: () => live?.end(),
  };
}

/** `slurm: 12 of 40 tasks done, 3 running on n1, n2, 25 waiting`. */
export function describeTasks(states: readonly TaskState[]): string {
  if (states.length === 0) return 'slurm: nothing handed in yet';
  const running = states.filter(({ state }) => state === 'RUNNING' || state === 'COMPLETING');
  const ended = states.filter((each) => !isAlive(each));
  const waiting = states.length - running.length - ended.length;
  const nodes = [...new Set(running.flatMap(({ node }) => node ?? []))].sort();
  const where =
    nodes.length === 0
      ? ''
      : ` on ${nodes.slice(0, 8).join(', ')}${nodes.length > 8 ? `, ${nodes.length - 8} more` : ''}`;
  const odd = Map.groupBy(
    ended.filter(({ state }) => state !== 'COMPLETED' && state !== 'ENDED'),
    ({ state }) => state,
  );
  return [
    `slurm: ${ended.length} of ${states.length} tasks done`,
    ...(running.length === 0 ? [] : [`${running.length} running${where}`]),
    ...(waiting === 0 ? [] : [`${waiting} waiting`]),
    ...[...odd].map(([state, tasks]) => `${tasks.length} ${state}`),
  ].join(', ');
}
