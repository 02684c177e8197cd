// SPDX-License-Identifier: Apache-2.0
import { pick, randomWords } from '../../../analysis/stats/random.ts';
import type { Mutant } from './mutants.ts';

/**
 * `count` mutants that follow from the seed. Modules take turns, so that a large one does not hide the others; a file gives `perFile` of its
 * mutants before the next one does.
 *
 * @param modules mutants of each file of each module
 */
export function drawMutants(
  modules: readonly (readonly (readonly Mutant[])[])[],
  { count, perFile, seed }: { readonly count: number; readonly perFile: number; readonly seed: number },
): Mutant[] {
  const queues = modules.map((files, module) => {
    const shuffled = shuffle(files, seed, module).map((mutants, file) =>
      shuffle(mutants, seed, module, file),
    );
    const rounds = Math.ceil(Math.max(0, ...files.map(({ length }) => length)) / perFile);
    return Array.from({ length: rounds }, (_, round) =>
      shuffled.flatMap((mutants) => mutants.slice(round * perFile, (round + 1) * perFile)),
    ).flat();
  });
  const longest = Math.max(0, ...queues.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) => queues.flatMap((queue) => queue[turn] ?? []))
    .flat()
    .slice(0, count);
}

/** Fisher and Yates' shuffle of a copy. */
function shuffle<T>(items: readonly T[], seed: number, ...path: number[]): T[] {
  const words = randomWords(seed, 'mutants', ...path);
  const all = [...items];
  for (let at = all.length - 1; at > 0; at--) {
    const other = pick(words, at + 1);
    [all[at], all[other]] = [all[other] as T, all[at] as T];
  }
  return all;
}
