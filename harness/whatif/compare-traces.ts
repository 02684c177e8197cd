// SPDX-License-Identifier: Apache-2.0
import { type Switch, type TraceSummary, TraceTally } from './trace-tally.ts';

/** Two streams of context switches from one fork point on. */
export interface TraceComparison {
  /** Switches that both have before they differ: same time, vCPU and threads. */
  readonly common: number;
  /** The last of them, three at most. */
  readonly lastCommon: readonly Switch[];
  /** The first switch of each side that the other does not have; absent for a side that had ended. Absent when none differs. */
  readonly first?: Pair;
  /**
   * The first at which more than the time differs: other threads, another vCPU, or the order of two. `after` counts the switches before it, which are
   * alike but for their times. Absent when there is none.
   */
  readonly firstChoice?: Pair & { readonly after: number };
  readonly left: TraceSummary;
  readonly right: TraceSummary;
}

interface Pair {
  readonly left?: Switch;
  readonly right?: Switch;
}

type Batches = AsyncIterable<readonly string[]> | Iterable<readonly string[]>;

const LAST_COMMON = 3;

/** Compares two traces in one pass, line by line; holds no more of them than the batches that it is given. */
export async function compareTraces(left: Batches, right: Batches): Promise<TraceComparison> {
  const [a, b] = [cursor(left), cursor(right)];
  const shared = new TraceTally();
  const lastCommon: Switch[] = [];
  const common = await together(a, b, sameLine, (line) => {
    const event = shared.add(line);
    if (event !== undefined) lastCommon.push(event);
    if (lastCommon.length > LAST_COMMON) lastCommon.shift();
  });
  const [x, y] = [side(a, shared.copy()), side(b, shared)];
  const alike = await together(a, b, sameChoice, (line, other) => {
    x.add(line);
    y.add(other);
  });
  const timed = pairOf(x.first, y.first);
  await Promise.all([x.drain(), y.drain()]);
  const chosen = pairOf(x.firstDrained, y.firstDrained);
  const first = timed ?? chosen;
  return {
    common,
    lastCommon,
    ...(first === undefined ? {} : { first }),
    ...(chosen === undefined ? {} : { firstChoice: { ...chosen, after: common + alike } }),
    left: x.summary(),
    right: y.summary(),
  };
}

function sameLine(a: string, b: string): boolean {
  return a === b;
}

/** Whether the lines are alike behind the time. */
function sameChoice(a: string, b: string): boolean {
  return a.slice(a.indexOf(' ')) === b.slice(b.indexOf(' '));
}

/** Goes through both sides for as long as `same` holds; returns how many lines that were. */
async function together(
  a: Cursor,
  b: Cursor,
  same: (a: string, b: string) => boolean,
  each: (a: string, b: string) => void,
): Promise<number> {
  for (let count = 0; ; ) {
    const [x, y] = [await a.lines(), await b.lines()];
    const length = Math.min(x.length, y.length);
    let at = 0;
    for (; at < length && same(x[at] as string, y[at] as string); at++)
      each(x[at] as string, y[at] as string);
    a.skip(at);
    b.skip(at);
    count += at;
    if (at < length || length === 0) return count;
  }
}

interface Side {
  add(line: string): void;
  /** Adds all that is left. */
  drain(): Promise<void>;
  /** First switch that was added, and first that was drained. */
  readonly first: Switch | undefined;
  readonly firstDrained: Switch | undefined;
  summary(): TraceSummary;
}

function side(rest: Cursor, tally: TraceTally): Side {
  let first: Switch | undefined;
  let firstDrained: Switch | undefined;
  const add = (line: string): Switch | undefined => {
    const event = tally.add(line);
    first ??= event;
    return event;
  };
  return {
    add,
    async drain() {
      for (let batch = await rest.lines(); batch.length > 0; batch = await rest.lines()) {
        for (const line of batch) {
          const event = add(line);
          firstDrained ??= event;
        }
        rest.skip(batch.length);
      }
    },
    get first() {
      return first;
    },
    get firstDrained() {
      return firstDrained;
    },
    summary: () => tally.summary(),
  };
}

function pairOf(left: Switch | undefined, right: Switch | undefined): Pair | undefined {
  if (left === undefined && right === undefined) return undefined;
  return { ...(left === undefined ? {} : { left }), ...(right === undefined ? {} : { right }) };
}

interface Cursor {
  /** What is at hand and not yet skipped; none only at the end. */
  lines(): Promise<readonly string[]>;
  skip(count: number): void;
}

function cursor(batches: Batches): Cursor {
  const source =
    Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();
  let held: readonly string[] = [];
  return {
    async lines() {
      while (held.length === 0) {
        const next = await source.next();
        if (next.done === true) return held;
        held = next.value;
      }
      return held;
    },
    skip(count) {
      held = held.slice(count);
    },
  };
}
