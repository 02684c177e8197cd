// SPDX-License-Identifier: Apache-2.0
import { chord } from './vector.ts';

/** Vectors near to a leader, kept together so that a search reads few of them. */
export interface Cell {
  readonly id: number;
  readonly machine: number;
  readonly leader: Float32Array;
  /** The greatest distance of a member from the leader; grows, never shrinks. */
  readonly radius: number;
  readonly size: number;
}

/** Vectors nearer than this to a leader join it rather than lead. */
const JOIN = 0.4;
/** A cell of so many vectors is full: the next one leads a new cell beside it. */
const FULL = 512;
/** From so many cells a machine on, every vector joins the nearest. */
const MOST_CELLS = 1024;

/**
 * The cell that a new vector joins, or undefined when it is to lead one: leader clustering (Hartigan, "Clustering Algorithms", 1975,
 * chapter 3). Cells are never rearranged, so that learning touches only what is new.
 */
export function cellFor(
  cells: readonly Cell[],
  vector: Float32Array,
): { readonly cell: Cell; readonly distance: number } | undefined {
  let best: { readonly cell: Cell; readonly distance: number } | undefined;
  for (const cell of cells) {
    const distance = chord(cell.leader, vector);
    if (best === undefined || distance < best.distance) best = { cell, distance };
  }
  if (best === undefined || cells.length >= MOST_CELLS) return best;
  return best.distance <= JOIN && best.cell.size < FULL ? best : undefined;
}

export interface Hit {
  readonly situation: number;
  readonly distance: number;
}

/** A cell to look into, and the least distance that a member of it can have. */
interface Reachable {
  readonly id: number;
  readonly least: number;
}

/** So many of the nearest cells are looked into although nothing in them can be near enough: to be able to say how far the nearest is. */
const ALWAYS = 3;
const A_ROUND = 8;

/**
 * The `k` situations nearest to `vector`, each with the distance of its nearest observation, nearest first. Exact up to the distance `within`:
 * by the triangle inequality a member is no nearer than the leader's distance less the cell's radius, and cells that
 * cannot hold anything nearer than what was found are left out. What lies beyond `within` is found only by chance.
 */
export async function nearestSituations(
  cells: readonly Cell[],
  vector: Float32Array,
  { k, within }: { readonly k: number; readonly within: number },
  read: (cells: readonly number[], most: number) => Promise<readonly Hit[]> | readonly Hit[],
): Promise<Hit[]> {
  const order: Reachable[] = cells
    .map(({ id, leader, radius }) => ({ id, least: Math.max(0, chord(leader, vector) - radius) }))
    .sort((a, b) => a.least - b.least);
  const found = new Map<number, number>();
  let nearest: Hit[] = [];
  for (let at = 0; at < order.length; ) {
    const limit = nearest.length < k ? within : Math.min(within, (nearest[k - 1] as Hit).distance);
    // The first rounds are small: what they find spares most of the others.
    const size = at < ALWAYS ? 1 : A_ROUND;
    const round = order.slice(at, at + size).filter(({ least }) => least <= limit || at < ALWAYS);
    if (round.length === 0) break;
    for (const hit of await read(
      round.map(({ id }) => id),
      k,
    )) {
      const known = found.get(hit.situation);
      if (known === undefined || hit.distance < known) found.set(hit.situation, hit.distance);
    }
    nearest = [...found]
      .map(([situation, distance]) => ({ situation, distance }))
      .sort((a, b) => a.distance - b.distance || a.situation - b.situation)
      .slice(0, k);
    at += size;
  }
  return nearest;
}
