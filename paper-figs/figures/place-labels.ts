// SPDX-License-Identifier: Apache-2.0

interface Place {
  readonly policy: string;
  readonly x: number;
  readonly y: number;
}

export interface Label extends Place {
  /** `left`: to the right of its point. */
  readonly align: 'left' | 'right';
  /** Pixels by which it is moved down, so that it does not lie on another. */
  readonly dy: number;
}

type Range = readonly [low: number, high: number];
/** Pixels between two lines of labels. */
const LINE = 11;
/** Above its point, off the lines through it. */
const LIFT = 7;

/** Where the names of points go in a panel with logarithmic axes: beside their point, on the side with room, never on each other. */
export function placeLabels(
  places: readonly Place[],
  domain: { readonly x: Range; readonly y: Range },
  { width, height }: { readonly width: number; readonly height: number },
): Label[] {
  const share = (value: number, [low, high]: Range) => Math.log(value / low) / Math.log(high / low);
  const taken = { left: [] as number[], right: [] as number[] };
  return places
    .map((place) => ({
      place,
      x: share(place.x, domain.x) * width,
      y: (1 - share(place.y, domain.y)) * height,
    }))
    .sort((a, b) => a.y - b.y || a.x - b.x)
    .map(({ place, x, y }) => {
      const align = x < width / 2 ? 'left' : 'right';
      // From above downwards, each at its point or below the one before it.
      const line = taken[align].reduce((at, other) => (Math.abs(other - at) < LINE ? other + LINE : at), y);
      taken[align].push(line);
      return { policy: place.policy, x: place.x, y: place.y, align, dy: Math.round(line - y) - LIFT };
    });
}
