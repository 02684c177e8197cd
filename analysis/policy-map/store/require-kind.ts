// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../../harness/core/errors.ts';
import type { MapKind } from '../policy-map.ts';

/** Refuses vectors of another feature version. */
export function requireKind(where: string, known: MapKind, wanted: MapKind): void {
  if (known.features === wanted.features && known.dimensions === wanted.dimensions) return;
  throw new PmvxError(ExitCode.usage, {
    where,
    what: `the map is of features ${known.features} with ${known.dimensions} dimensions, and this is ${wanted.features} with ${wanted.dimensions}`,
    next: 'Vectors of two versions cannot be compared: learn the runs anew into another map',
  });
}
