// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

/** A text that names a source: an import, or a program that a test starts. */
const NAMED = /['"`]([\w./-]+\.ts)['"`]/g;

/** For each source, those that it names. Paths are from the root. */
export type Graph = ReadonlyMap<string, readonly string[]>;

export function readGraph(root: string, files: readonly string[]): Graph {
  const known = new Set(files);
  const named = (file: string) => {
    const text = readFileSync(join(root, file), 'utf8');
    const from = [resolve(root, dirname(file)), root, resolve(root, dirname(file), '..')];
    return [...text.matchAll(NAMED)].flatMap(([, name = '']) => {
      const found = from.map((folder) => relative(root, resolve(folder, name)));
      return found.find((path) => known.has(path) && path !== file) ?? [];
    });
  };
  return new Map(files.filter((file) => existsSync(join(root, file))).map((file) => [file, named(file)]));
}

/** Fewest steps from a source to each that it reaches. */
export function reached(graph: Graph, from: string): Map<string, number> {
  const steps = new Map([[from, 0]]);
  for (const file of steps.keys()) {
    for (const next of graph.get(file) ?? []) {
      if (!steps.has(next)) steps.set(next, (steps.get(file) as number) + 1);
    }
  }
  return steps;
}

/**
 * Tests that reach each source, the likeliest to notice first: that of its name, then the nearest, then those that reach least.
 */
export function testsOf(graph: Graph, tests: readonly string[]): (file: string) => string[] {
  const all = tests.map((test) => ({ test, steps: reached(graph, test) }));
  return (file) => {
    const named = `${basename(file, '.ts')}.test.ts`;
    const away = ({ test, steps }: (typeof all)[number]) =>
      basename(test) === named && dirname(test) === dirname(file) ? 0 : (steps.get(file) as number);
    return all
      .filter(({ steps }) => steps.has(file))
      .sort((a, b) => away(a) - away(b) || a.steps.size - b.steps.size || (a.test < b.test ? -1 : 1))
      .map(({ test }) => test);
  };
}
