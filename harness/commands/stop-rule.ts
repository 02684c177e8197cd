// SPDX-License-Identifier: Apache-2.0
import { looksOf } from '../core/looks.ts';
import type { Spec } from '../core/spec.ts';
import type { EarlyStop } from '../run/controller.ts';

/** The spec's rule for stopping before the last block; `atEnough` hears after how many blocks it held. */
export async function stopRule(
  spec: Spec,
  atEnough: (blocks: number) => void = () => undefined,
): Promise<EarlyStop> {
  const { narrowEnough } = await import('../../analysis/stopping/narrow-enough.ts');
  return {
    looks: looksOf(spec),
    enough: (records, blocks) => {
      const is = narrowEnough(spec, records);
      if (is) atEnough(blocks);
      return is;
    },
  };
}
