// SPDX-License-Identifier: Apache-2.0
import type { Operation } from './trace.ts';

/** What `shareWork` looks at: operations in a task's own order, and when each was over. */
interface TimedTask {
  /** The task that started it. */
  readonly parent?: number;
  readonly operations: readonly Operation[];
  readonly endsNs: readonly number[];
}

/** Shorter pieces, as a share of the recording, are not looked at. */
const LEAST_SHARE = 0.05;
/** So close to each other, as a share of the recording, do those end who run out of work at the same time. */
const MOST_APART = 0.02;
/** The most that one of them computed over the least: with less between them, each may as well have had its own. */
const LEAST_UNEQUAL = 1.2;

interface Piece {
  readonly task: number;
  readonly operation: number;
  readonly ns: number;
  readonly endNs: number;
}

/**
 * Finds work that several tasks shared, and marks it. Threads that take pieces of work until none is left, or that compute until a
 * clock stops them all, end together though some of them had less of a CPU. Their lengths are the scheduler's doing, and
 * only the sum is the program's. Children of one parent that computed without a wait up to (nearly) their end, that ended
 * together, and that got unequal time: they share.
 */
export function shareWork<T extends TimedTask>(
  tasks: readonly T[],
  durationNs: number,
): readonly Omit<T, 'endsNs'>[] {
  const byParent = Map.groupBy(
    tasks.flatMap((task, at) => lastPiece(task, at, durationNs) ?? []),
    ({ task }) => tasks[task]?.parent ?? -1,
  );
  const shares = new Map<number, { readonly operation: number; readonly work: number }>();
  let works = 0;
  for (const pieces of byParent.values()) {
    for (const group of together(pieces, MOST_APART * durationNs)) {
      const lengths = group.map(({ ns }) => ns);
      if (Math.max(...lengths) < LEAST_UNEQUAL * Math.min(...lengths)) continue;
      for (const { task, operation } of group) shares.set(task, { operation, work: works });
      works++;
    }
  }
  return tasks.map(({ endsNs: _endsNs, ...task }, at) => {
    const share = shares.get(at);
    if (share === undefined) return task;
    const operations = task.operations.toSpliced(share.operation, 0, { do: 'share', work: share.work });
    return { ...task, operations };
  });
}

/** The computing after a task's last wait, when there is enough of it. */
function lastPiece({ operations, endsNs }: TimedTask, task: number, durationNs: number): Piece | undefined {
  const after = operations.findLastIndex(({ do: what }) => /^(wait|waitEnd|sleep|period|start)$/.test(what));
  const pieces = operations.flatMap((operation, at) =>
    operation.do === 'run' && at > after
      ? [{ task, operation: at, ns: operation.ns, endNs: endsNs[at] as number }]
      : [],
  );
  const longest = pieces.reduce<Piece | undefined>(
    (most, each) => (most === undefined || each.ns > most.ns ? each : most),
    undefined,
  );
  return longest !== undefined && longest.ns >= LEAST_SHARE * durationNs ? longest : undefined;
}

/** Groups of at least two that end within `apartNs` of the first to end. */
function together(pieces: readonly Piece[], apartNs: number): readonly (readonly Piece[])[] {
  const groups: Piece[][] = [];
  for (const piece of pieces.toSorted((a, b) => a.endNs - b.endNs)) {
    const group = groups.at(-1);
    if (group !== undefined && piece.endNs - (group[0] as Piece).endNs <= apartNs) group.push(piece);
    else groups.push([piece]);
  }
  return groups.filter(({ length }) => length > 1);
}
