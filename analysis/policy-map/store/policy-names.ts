// SPDX-License-Identifier: Apache-2.0
import { type PolicySummary, packSummaries, unpackSummaries } from '../summary.ts';

/** Policies go by number in summaries, which every query reads; here is which is which. */
export class PolicyNames {
  readonly #names = new Map<number, string>();
  readonly #numbers = new Map<string, number>();

  add({ id, name }: { readonly id: number; readonly name: string }): void {
    this.#names.set(id, name);
    this.#numbers.set(name, id);
  }

  pack(summaries: readonly PolicySummary[]): Uint8Array {
    return packSummaries(summaries, (name) => this.#numbers.get(name) as number);
  }

  unpack(bytes: Uint8Array): PolicySummary[] {
    return unpackSummaries(bytes, (id) => this.#names.get(id) as string);
  }
}
