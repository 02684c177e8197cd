// SPDX-License-Identifier: Apache-2.0
const HIGHEST_SHIFT = 10;

/** The speeds of one vCPU that `exact` has, fastest first: 1000 / 2^k / vcpus million instructions a second. */
export function exactSpeeds(vcpus: number): number[] {
  return Array.from({ length: HIGHEST_SHIFT + 1 }, (_, shift) => 1000 / 2 ** shift / vcpus);
}

/** The exact speed that a number written with up to six digits means; undefined when there is none. */
export function exactSpeed(written: number, vcpus: number): number | undefined {
  return exactSpeeds(vcpus).find((speed) => Math.abs(written / speed - 1) < 1e-5);
}

/** The allowed speeds just below and just above a number; one when it is beyond either end. */
export function nearestSpeeds(written: number, vcpus: number): number[] {
  const ascending = exactSpeeds(vcpus).reverse();
  const below = ascending.findLast((speed) => speed <= written);
  const above = ascending.find((speed) => speed > written);
  return [below, above].filter((speed) => speed !== undefined);
}
