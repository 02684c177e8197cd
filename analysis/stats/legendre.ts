// SPDX-License-Identifier: Apache-2.0

/** A node within -1 to 1, and its weight. */
export interface RuleNode {
  readonly node: number;
  readonly weight: number;
}

/**
 * Gauss and Legendre's quadrature rule of `n` nodes over -1 to 1. Source: 3.5.15 of the NIST Digital Library of Mathematical Functions;
 * roots by Newton's method from Tricomi's start.
 */
export function legendreRule(n: number): RuleNode[] {
  return Array.from({ length: n }, (_, at) => {
    let node = -Math.cos((Math.PI * (at + 0.75)) / (n + 0.5));
    let slope = 0;
    for (let round = 0; round < 10; round++) {
      let [before, value] = [1, node];
      for (let degree = 2; degree <= n; degree++) {
        [before, value] = [value, ((2 * degree - 1) * node * value - (degree - 1) * before) / degree];
      }
      slope = (n * (node * value - before)) / (node * node - 1);
      node -= value / slope;
    }
    return { node, weight: 2 / ((1 - node * node) * slope * slope) };
  });
}
