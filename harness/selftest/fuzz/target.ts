// SPDX-License-Identifier: Apache-2.0
import type { Draw } from '../draw.ts';

/** Something of pmvx that reads what others wrote. */
export interface Target {
  readonly name: string;
  readonly about: string;
  /** Longest input that is made. */
  readonly mostBytes: number;
  /** Inputs to begin with: real ones. */
  readonly seeds: readonly Buffer[];
  /** Words that the reader knows, for mutations to use. */
  readonly words: readonly string[];
  /** Makes length and check sums of a mutated input right again, so that what is within is read, too. */
  readonly seal?: (input: Buffer, draw: Draw) => Buffer;
  /**
   * Reads an input, and says in a few words what became of it: accepted, or refused and why. Throws `Finding` when what is accepted is not
   * as promised; every other error that it throws is a finding, too.
   */
  read(input: Buffer): string | Promise<string>;
}

/** Something that must not be. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/** Words that stand for all messages that differ in numbers, names and quotations only. */
export function wordsOf(message: string): string {
  return message
    .split('\n')[0]
    ?.replace(/"(?:[^"\\]|\\.)*"/g, '"…"')
    .replace(/\d+/g, '0')
    .slice(0, 120) as string;
}
