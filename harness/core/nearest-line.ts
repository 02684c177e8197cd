// SPDX-License-Identifier: Apache-2.0

/** The line that comes closest to what `pattern` looks for, quoted and bounded; undefined when there is no line. */
export function nearestLine(pattern: string, output: string): string | undefined {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) return undefined;
  const wanted = letterPairs(literalText(pattern));
  let best = { line: lines.at(-1) as string, score: 0 };
  for (const line of lines) {
    const score = likeness(wanted, letterPairs(line));
    if (score > best.score) best = { line, score };
  }
  return JSON.stringify(best.line.trim().slice(0, 100));
}

/** What is left of a pattern without its escapes, groups and quantifiers. */
function literalText(pattern: string): string {
  return pattern
    .replace(/\([^)]*\)/g, ' ')
    .replace(/\\[a-zA-Z]/g, ' ')
    .replace(/[\\^$.*+?|{}[\]]/g, ' ');
}

function letterPairs(text: string): Set<string> {
  const letters = text.toLowerCase().replace(/[^a-z]+/g, ' ');
  const pairs = new Set<string>();
  for (let i = 0; i + 1 < letters.length; i++) pairs.add(letters.slice(i, i + 2));
  return pairs;
}

/** Dice's coefficient: twice the shared pairs over all pairs. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((pair) => b.has(pair)).length;
  return shared === 0 ? 0 : (2 * shared) / (a.size + b.size);
}
