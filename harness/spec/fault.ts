// SPDX-License-Identifier: Apache-2.0
/** A fault in what a spec says, before its path is turned into line and column. */
export interface SpecFault {
  readonly path: readonly (string | number)[];
  /** Where to point; the value unless said. */
  readonly part?: 'key';
  /** With the value seen. */
  readonly what: string;
  readonly next: string;
}
