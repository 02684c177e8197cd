// SPDX-License-Identifier: Apache-2.0
/** How a size of memory is written: whole MiB or GiB. */
export const MEMORY_PATTERN = /^([1-9][0-9]{0,5})(MiB|GiB)$/;

const SMALLEST_MIB = 256;
const LARGEST_MIB = 64 * 1024;

/** MiB of a size like `1GiB`; undefined when it is not written so or out of range (256 MiB to 64 GiB). */
export function memoryInMiB(text: string): number | undefined {
  const match = MEMORY_PATTERN.exec(text);
  if (match === null) return undefined;
  const mib = Number(match[1]) * (match[2] === 'GiB' ? 1024 : 1);
  return mib >= SMALLEST_MIB && mib <= LARGEST_MIB ? mib : undefined;
}
