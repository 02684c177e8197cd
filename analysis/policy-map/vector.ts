// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';

/** A vector of length 1, in the precision in which maps keep it. */
export type UnitVector = Float32Array & { readonly __brand: 'UnitVector' };

/** How far the length of what is called a unit vector may be from 1: rounding to four digits or so is forgiven. */
const TOLERANCE = 1e-3;
const EXACT = 1e-6;

/** Checks and takes over a vector from outside; `where` names it in errors. */
export function unitVector(values: ArrayLike<number>, dimensions: number, where: string): UnitVector {
  const refuse = (what: string, next: string) => new PmvxError(ExitCode.usage, { where, what, next });
  if (values.length !== dimensions) {
    throw refuse(
      `the vector has ${values.length} numbers, and the map's have ${dimensions}`,
      'Make it with the feature version of the map',
    );
  }
  let squares = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (!Number.isFinite(value)) {
      throw refuse(
        `number ${at + 1} of the vector is ${value}`,
        'A feature is a finite number; a window without one is unknown, and is not asked about',
      );
    }
    squares += value * value;
  }
  const length = Math.sqrt(squares);
  if (!(Math.abs(length - 1) <= TOLERANCE)) {
    throw refuse(`the vector has length ${length.toPrecision(6)}, not 1`, 'Divide it by its length');
  }
  // Left as it is when it is of length 1 as well as its precision can say: what was taken over once is taken over unchanged.
  const scale = Math.abs(length - 1) <= EXACT ? 1 : length;
  return Float32Array.from(values, (value) => value / scale) as UnitVector;
}

/** Length of the straight line between two unit vectors, 0 to 2: sqrt(2 - 2 cos). Unlike 1 - cos it obeys the triangle inequality. */
export function chord(a: Float32Array, b: Float32Array): number {
  let squares = 0;
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    squares += difference * difference;
  }
  return Math.sqrt(squares);
}

export function cosineOf(chordLength: number): number {
  return 1 - (chordLength * chordLength) / 2;
}

export function vectorBytes(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

export function vectorFromBytes(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}
