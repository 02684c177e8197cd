// SPDX-License-Identifier: Apache-2.0
import { styleText } from 'node:util';
import type { PlannedTrial } from '../core/trial.ts';
import type { RunWatcher } from '../run/events.ts';
import { LiveLine } from '../run/live-line.ts';
import { type Paint, Progress } from '../run/progress.ts';
import type { CommandContext } from './context.ts';

export const COLOURS = { good: 'green', bad: 'red', odd: 'yellow', faint: 'gray' } as const;
const REDRAW_MS = 1000;

/** Whether output may carry colours: a terminal that understands them and a user who did not decline. */
export function wantsColour(context: Pick<CommandContext, 'isTTY' | 'env'>): boolean {
  const declined = (context.env.NO_COLOR ?? '') !== '';
  return context.isTTY && !declined && context.env.TERM !== 'dumb';
}

/** Columns that a table may take: a terminal's own, within reason, and 120 for whatever else reads it. */
export function terminalWidth({ isTTY }: Pick<CommandContext, 'isTTY'>): number | undefined {
  const { columns } = process.stdout;
  return isTTY && columns !== undefined && columns > 0 ? Math.max(60, columns) : undefined;
}

/** Shows a run as it goes: a line a trial, and on a terminal one more that is redrawn every second. */
export function watchRun(
  trials: readonly PlannedTrial[],
  jobs: number,
  context: CommandContext,
): { readonly watch: RunWatcher; end(): void } {
  const paint: Paint = wantsColour(context)
    ? (tone, text) => styleText(COLOURS[tone], text, { validateStream: false })
    : (_tone, text) => text;
  const progress = new Progress(trials, jobs, paint);
  const seconds = () => performance.now() / 1000;
  if (!context.isTTY || context.env.TERM === 'dumb') {
    const watch: RunWatcher = (event) => {
      const line = progress.note(event, seconds());
      if (line !== undefined) context.write(line);
    };
    return { watch, end: () => undefined };
  }
  const live = new LiveLine(process.stdout);
  let over = false;
  const redraw = () => {
    if (!over) live.status(progress.status(seconds()));
  };
  const timer = setInterval(redraw, REDRAW_MS);
  const watch: RunWatcher = (event) => {
    const line = progress.note(event, seconds());
    if (line !== undefined) live.print(line);
    redraw();
  };
  const end = () => {
    over = true;
    clearInterval(timer);
    live.end();
  };
  // What is said about stopping must not run into the live line.
  context.signal.addEventListener('abort', end, { once: true });
  return { watch, end };
}
