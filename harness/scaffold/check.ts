// SPDX-License-Identifier: Apache-2.0

/** What one check of a definition found: `fault` is absent when all is well. */
export interface Check {
  readonly what: string;
  readonly fault?: string;
}

/** A check with the faults that were found, in one line. */
export function checked(what: string, faults: readonly string[]): Check {
  return faults.length === 0 ? { what } : { what, fault: faults.join('; ') };
}
