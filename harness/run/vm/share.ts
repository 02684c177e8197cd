// SPDX-License-Identifier: Apache-2.0

/** Which items of a list are share `K/N` of it: every Nth, from the Kth. */
export function inShare(text: string): (item: unknown, at: number) => boolean {
  const [, share, of] = (/^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(text) ?? []).map(Number);
  if (share === undefined || of === undefined || share > of) {
    throw new RangeError(`a share is K/N with K from 1 to N, got ${JSON.stringify(text)}`);
  }
  return (_item, at) => at % of === share - 1;
}
