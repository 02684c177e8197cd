// SPDX-License-Identifier: Apache-2.0

/**
 * Names whose costs no other dominates: none is at most as high in every objective and lower in one. Equal costs share the front.
 *
 * Source: Pareto efficiency, as in Miettinen, "Nonlinear Multiobjective Optimization", 1999, section 2.2.
 */
export function paretoFront(costs: ReadonlyMap<string, readonly number[]>): ReadonlySet<string> {
  const all = [...costs];
  return new Set(
    all.filter(([, own]) => !all.some(([, other]) => dominates(other, own))).map(([name]) => name),
  );
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((cost, at) => cost <= (b[at] as number)) && a.some((cost, at) => cost < (b[at] as number));
}
