// SPDX-License-Identifier: Apache-2.0

/** Direction in which unit vectors point together, of unit length; the first one when they cancel out. Throws for none. */
export function meanVector(vectors: readonly Float32Array[]): Float32Array {
  const [first] = vectors;
  if (first === undefined) throw new RangeError('no vectors have no mean');
  const sum = first.map((_, at) => vectors.reduce((total, vector) => total + (vector[at] as number), 0));
  const length = Math.hypot(...sum);
  return length > 1e-6 ? sum.map((value) => value / length) : first;
}
