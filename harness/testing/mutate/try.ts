// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type Mutant, mutate } from './mutants.ts';
import type { Scratch } from './scratch.ts';

/** What became of a mutant, and what said so. */
export type Fate =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'timed out'; readonly by: string }
  | { readonly kind: 'caught by types' | 'caught by the linter'; readonly by: string }
  | { readonly kind: 'survived'; readonly by: string }
  | { readonly kind: 'no test reaches it'; readonly by: '' };

const AVA = 'ava/entrypoints/cli.js';
const TSC = 'typescript/bin/tsc';
const OXLINT = 'oxlint/bin/oxlint';

/** A busy machine may make a run this much slower than it was without the mutant. */
const SLOWER = 8;
const LEAST_MS = 60_000;
const BASELINE_MS = 900_000;

/** For each test file, how long it takes without any mutant, ms; undefined when it fails. */
export type Baselines = Map<string, Promise<number | undefined>>;

export class Tries {
  readonly #scratch: Scratch;
  readonly #sourceOf: (file: string) => string;
  readonly #near: number;
  readonly #testsOf: (file: string) => readonly string[];
  readonly #baselines: Baselines;

  /**
   * @param near how many test files are asked, the nearest first
   * @param baselines shared by all who try
   */
  constructor(
    scratch: Scratch,
    sourceOf: (file: string) => string,
    testsOf: (file: string) => readonly string[],
    near: number,
    baselines: Baselines = new Map(),
  ) {
    this.#scratch = scratch;
    this.#sourceOf = sourceOf;
    this.#testsOf = testsOf;
    this.#near = near;
    this.#baselines = baselines;
  }

  async fateOf(mutant: Mutant): Promise<Fate> {
    const tests = this.#testsOf(mutant.file).slice(0, this.#near);
    const rounds = [tests.slice(0, 3), tests.slice(3, 12), tests.slice(12)].filter(
      ({ length }) => length > 0,
    );
    if (rounds.length === 0) return { kind: 'no test reaches it', by: '' };
    for (const round of rounds) {
      const { passing, ms } = await this.#baseline(round);
      if (passing.length === 0) continue;
      const fate = await this.#changed(mutant, () => this.#ask(passing, Math.max(LEAST_MS, ms * SLOWER)));
      if (fate !== undefined) return fate;
    }
    return this.#changed(mutant, () => this.#check(mutant, tests.length));
  }

  async #changed<T>(mutant: Mutant, work: () => Promise<T>): Promise<T> {
    const source = this.#sourceOf(mutant.file);
    await this.#scratch.write(mutant.file, mutate(source, mutant));
    try {
      return await work();
    } finally {
      await this.#scratch.write(mutant.file, source);
    }
  }

  async #ask(tests: readonly string[], limitMs: number): Promise<Fate | undefined> {
    const ask = (ms: number) => this.#scratch.run(AVA, ['--tap', '--fail-fast', ...tests], ms);
    let { code, output } = await ask(limitMs);
    // A machine that was busy for a while says nothing of the mutant: what never ends does not end in twice the time either.
    if (code === undefined) ({ code, output } = await ask(2 * limitMs));
    if (code === 0) return undefined;
    if (code === undefined) return { kind: 'timed out', by: tests.join(' ') };
    return { kind: 'killed', by: firstFailure(output) };
  }

  /** Those that pass without any mutant, and how long they take; others say nothing of one. */
  async #baseline(
    tests: readonly string[],
  ): Promise<{ readonly passing: readonly string[]; readonly ms: number }> {
    const unknown = tests.filter((test) => !this.#baselines.has(test));
    const ran = this.#unchanged(unknown);
    for (const test of unknown)
      this.#baselines.set(
        test,
        ran.then((times) => times.get(test)),
      );
    const times = await Promise.all(tests.map(async (test) => this.#baselines.get(test)));
    return {
      passing: tests.filter((_, at) => times[at] !== undefined),
      ms: times.reduce<number>((sum, ms) => sum + (ms ?? 0), 0),
    };
  }

  /** How long each of the tests takes that pass without any mutant, ms. */
  async #unchanged(tests: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const passing = new Map<string, number>();
    if (tests.length === 0) return passing;
    const together = await this.#scratch.run(AVA, ['--tap', ...tests], BASELINE_MS);
    if (together.code === 0) {
      const each = together.ms / tests.length;
      return new Map(tests.map((test) => [test, each]));
    }
    for (const test of tests) {
      const { code, output, ms } = await this.#scratch.run(AVA, ['--tap', test], BASELINE_MS);
      if (code === 0) passing.set(test, ms);
      else if (!this.#scratch.stopped)
        console.log(`left out, as it fails without a mutant: ${test}: ${firstFailure(output)}`);
    }
    return passing;
  }

  /** What no test notices may still not pass the type check or the linter, which the suite runs, too. */
  async #check(mutant: Mutant, asked: number): Promise<Fate> {
    const incremental = ['--incremental', '--tsBuildInfoFile', join(this.#scratch.root, '.tsbuildinfo')];
    const types = await this.#scratch.run(TSC, ['--noEmit', ...incremental], BASELINE_MS);
    if (types.code !== 0)
      return { kind: 'caught by types', by: /error (TS\d+)/.exec(types.output)?.[1] ?? '' };
    const style = await this.#scratch.run(OXLINT, ['--type-aware', mutant.file], BASELINE_MS);
    if (style.code !== 0)
      return { kind: 'caught by the linter', by: /[\w-]+\([\w-]+\)/.exec(style.output)?.[0] ?? '' };
    return { kind: 'survived', by: `${asked} test files` };
  }
}

/** The first test that failed, or what AVA said instead. */
export function firstFailure(tap: string): string {
  const failed = /^not ok \d+ - (.+)$/m.exec(tap)?.[1];
  return failed ?? tap.trim().split('\n').at(-1) ?? '';
}
