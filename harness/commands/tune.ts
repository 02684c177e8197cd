// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { noteTuned, type QueuedWindow, readQueue, readTuned, type Tuned, tunedPath } from '../tune/queue.ts';
import { type TuneParts, tuneWindow } from '../tune/tune-window.ts';
import type { CommandContext } from './context.ts';
import { tuneLab } from './tune-lab.ts';

export interface TuneArgs {
  readonly queue: string;
  readonly map: string;
  readonly policies?: string;
  readonly blocks?: number;
  readonly tries?: number;
  readonly image?: string;
  readonly jobs?: number;
  readonly follow?: true;
}

/** Between two looks at a queue that has nothing new. */
const LOOK_MS = 10_000;

/** `pmvx tune --queue FILE --map MAP`: every window that is not tuned yet, one after the other. */
export async function tuneCommand(
  args: TuneArgs,
  context: CommandContext,
  open: (
    args: TuneArgs,
    context: CommandContext,
  ) => Promise<TuneParts & { readonly incomplete: () => boolean }> = tuneLab,
): Promise<ExitCode> {
  const path = tunedPath(args.queue);
  const told = new Set<string>();
  let parts: Awaited<ReturnType<typeof open>> | undefined;
  let unlike = 0;
  let done = 0;
  for (;;) {
    const { windows, faults } = await queueOf(args.queue);
    for (const fault of faults) if (!told.has(fault)) context.warn(`pmvx: ${fault}`);
    for (const fault of faults) told.add(fault);
    const before = await readTuned(path);
    const next = windows.find(({ key }) => !before.some((each) => each.key === key));
    if (next !== undefined) {
      parts ??= await open(args, context);
      context.write(`window ${next.key} of ${next.at}`);
      const tuned = await tuneWindow(next, before, parts);
      await noteTuned(path, tuned);
      for (const line of wordsOf(tuned)) context.write(line);
      if (tuned.outcome === 'unlike') unlike++;
      done++;
    } else if (args.follow === true) {
      await wait(LOOK_MS, undefined, { signal: context.signal }).catch(() => undefined);
      context.signal.throwIfAborted();
    } else {
      if (done === 0) context.write(`${args.queue}: ${windows.length} windows, all tuned before`);
      return unlike > 0 || parts?.incomplete() === true ? ExitCode.incomplete : ExitCode.ok;
    }
  }
}

async function queueOf(
  path: string,
): Promise<{ readonly windows: readonly QueuedWindow[]; readonly faults: readonly string[] }> {
  try {
    return await readQueue(path);
  } catch (error) {
    throw new PmvxError(
      ExitCode.usage,
      {
        where: path,
        what: `the queue cannot be read: ${(error as NodeJS.ErrnoException).code}`,
        next: 'pmvx autotune writes one: queue.jsonl in its state folder',
      },
      { cause: error },
    );
  }
}

function wordsOf(tuned: Tuned): string[] {
  switch (tuned.outcome) {
    case 'learnt':
      return [
        `  ${tuned.workload} ${tuned.variant} looks like it: cosine ${tuned.cosine.toFixed(3)}; under EEVDF in run ${tuned.run}: ${tuned.cosines.map((cosine) => cosine.toFixed(3)).join(', ')}`,
        `  the map says now: ${tuned.recommend}, ${tuned.why}`,
      ];
    case 'same-as':
      return [`  it is as window ${tuned.other}: cosine ${tuned.cosine.toFixed(3)}`];
    case 'unlike':
      return [
        `  no load of ${tuned.tries} looks enough like it: ${tuned.cosine === undefined ? 'none ran' : `the nearest has cosine ${tuned.cosine.toFixed(3)}`}`,
      ];
  }
}
