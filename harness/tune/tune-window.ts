// SPDX-License-Identifier: Apache-2.0
import { cosineOf } from './fit.ts';
import type { QueuedWindow, Tuned } from './queue.ts';

/** A workload that looks like a window. */
export interface Likeness {
  readonly workload: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly variant: string;
  /** Between its vector, as measured, and the window's. */
  readonly cosine: number;
}

/** What tuning is done with; a test gives its own. */
export interface TuneParts {
  /** Of the recording that the window has. */
  fromTrace(window: QueuedWindow, trace: string): Promise<Likeness>;
  /** Of a profile that is fitted to it. */
  synthesise(
    window: QueuedWindow,
  ): Promise<{ readonly likeness?: Likeness; readonly cosine?: number; readonly tries: number }>;
  /** Lets every policy run it, and adds the evidence to the map: the run's id, and how near its trials under EEVDF are. */
  evaluate(
    window: QueuedWindow,
    likeness: Likeness,
  ): Promise<{ readonly run: string; readonly cosines: readonly number[] }>;
  /** What the map says of the window now. */
  ask(window: QueuedWindow): Promise<{ readonly recommend: string; readonly why: string }>;
  now(): Date;
}

/** Windows nearer than this are one regime, and what stands for a window is to be as near. */
export const ALIKE = 0.95;

/** queue's window -> workload that looks like it -> every policy under forks -> map. `before` is what became of earlier windows. */
export async function tuneWindow(
  window: QueuedWindow,
  before: readonly Tuned[],
  parts: TuneParts,
): Promise<Tuned> {
  const { key, vector, trace } = window;
  const told = () => ({ v: 1, key, at: parts.now().toISOString(), vector }) as const;
  const same = before
    .filter(({ outcome }) => outcome === 'learnt')
    .map((other) => ({ other: other.key, cosine: cosineOf(other.vector, vector) }))
    .sort((a, b) => b.cosine - a.cosine)[0];
  if (same !== undefined && same.cosine >= ALIKE) return { ...told(), outcome: 'same-as', ...same };
  const found =
    trace === undefined
      ? await parts.synthesise(window)
      : { likeness: await parts.fromTrace(window, trace), tries: 1 };
  const { likeness } = found;
  if (likeness === undefined || likeness.cosine < ALIKE) {
    const cosine = likeness?.cosine ?? found.cosine;
    return { ...told(), outcome: 'unlike', ...(cosine === undefined ? {} : { cosine }), tries: found.tries };
  }
  const { run, cosines } = await parts.evaluate(window, likeness);
  const { recommend, why } = await parts.ask(window);
  const { workload, variant, cosine } = likeness;
  return { ...told(), outcome: 'learnt', workload, variant, cosine, run, cosines, recommend, why };
}
