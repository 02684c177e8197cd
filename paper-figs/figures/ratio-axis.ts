// SPDX-License-Identifier: Apache-2.0
/** Range of a logarithmic axis that shows 1 and every value, with room; at least 0.8 to 1.25. */
export function ratioDomain(values: readonly (number | undefined)[]): [number, number] {
  const present = values.filter(
    (value) => value !== undefined && value > 0 && Number.isFinite(value),
  ) as number[];
  const low = Math.min(1, ...present);
  const high = Math.max(1, ...present);
  const room = (high / low) ** 0.06;
  return [Math.min(0.8, low / room), Math.max(1.25, high * room)];
}

const STEPS: readonly (readonly number[])[] = [
  [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5],
  [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9],
  [1, 1.5, 2, 3, 4, 5, 7],
  [1, 2, 5],
  [1, 3],
  [1],
];

/**
 * Round numbers within `domain` for the labels of a logarithmic axis: 9 at most, as many as fit, always with 1.
 */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const decades = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const choices = STEPS.map((steps) =>
    decades
      .flatMap((decade) => steps.map((step) => Number(`${step}e${decade}`)))
      .filter((tick) => tick >= low && tick <= high),
  );
  const fitting = choices.find((ticks) => ticks.length <= 9);
  if (fitting !== undefined) return fitting;
  const coarse = choices.at(-1) ?? [];
  const every = Math.ceil(coarse.length / 9);
  return coarse.filter((tick) => Math.round(Math.log10(tick)) % every === 0);
}
