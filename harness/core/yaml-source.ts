// SPDX-License-Identifier: Apache-2.0
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Fault } from './errors.ts';
import { printable } from './printable.ts';

/** Longest YAML text that is read; nothing written by hand comes near it. */
export const MAX_YAML_CHARACTERS = 1 << 20;

/** A YAML text with the way back from a value to its place in the text. */
export interface YamlSource {
  /**
   * The plain value, also beside refused nodes, so that all faults can be told at once: of equal keys the last one counts,
   * an alias is null. Undefined when the text is no YAML.
   */
  readonly value: unknown;
  readonly faults: readonly Fault[];
  /**
   * `file:line:col` of the value at `path`, or of its key. Of the nearest enclosing value when the text has nothing
   * there, so that a missing key is reported where it belongs.
   */
  locate(path: readonly PropertyKey[], part?: 'value' | 'key'): string;
}

/** Parses one YAML 1.2 document. Refuses what makes a file mean something else than it seems to: duplicate keys, aliases, tags. */
export function readYaml(text: string, file: string): YamlSource {
  if (text.length > MAX_YAML_CHARACTERS) {
    const what = `the file has ${text.length} characters; at most ${MAX_YAML_CHARACTERS} are read`;
    return broken(file, [{ where: file, what, next: 'Split it, or check that it is the right file' }]);
  }
  const lines = new LineCounter();
  // The parser would compare every key with every other; `refusedNodes` finds equal ones in linear time.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, version: '1.2' } as const;
  const document = parsedOrTooDeep(text, options);
  if (document === undefined) return broken(file, [tooDeep(`${file}:1:1`)]);
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };

  const syntax = syntaxFaults(document, at);
  if (syntax.length === 0 && document.contents === null) {
    const next = 'Write a mapping of keys to values';
    syntax.push({ where: `${file}:1:1`, what: 'the file is empty', next });
  }
  if (syntax.length > 0) return broken(file, syntax);

  const pairs = pairFinder();
  const locate = (path: readonly PropertyKey[], part: 'value' | 'key' = 'value'): string =>
    at(offsetOf(document.contents, path, part, pairs));
  return { value: plainValue(document.contents), faults: refusedNodes(document, at), locate };
}

/** Undefined where the parser's own stack does not do. */
function parsedOrTooDeep(text: string, options: Parameters<typeof parseDocument>[1]) {
  try {
    return parseDocument(text, options);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function tooDeep(where: string): Fault {
  return { where, what: 'values are nested too deeply', next: 'Flatten them' };
}

function broken(file: string, faults: readonly Fault[]): YamlSource {
  return { value: undefined, faults, locate: () => `${file}:1:1` };
}

type Placed = (offset: number) => string;

function syntaxFaults(document: Document.Parsed, at: Placed): Fault[] {
  // A tag that YAML does not know is a warning here and refused with all other tags below.
  const warnings = document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED');
  const problems = [...document.errors, ...warnings];
  const exhausted = problems.find((problem) => problem.code === 'RESOURCE_EXHAUSTION');
  if (exhausted) return [tooDeep(at(exhausted.pos[0]))];
  // One mistake often breaks several rules of the grammar at one place: the first says it best.
  const places = new Set<number>();
  const first = problems.filter(({ pos }) => !places.has(pos[0]) && places.add(pos[0]));
  return first.map((problem) => {
    const where = at(problem.pos[0]);
    if (problem.code === 'MULTIPLE_DOCS') {
      return { where, what: 'a second YAML document begins here', next: 'Keep one document a file' };
    }
    const what = `not valid YAML: ${printable(problem.message)}`;
    return { where, what, next: 'Correct the syntax here or just before' };
  });
}

function refusedNodes(document: Document.Parsed, at: Placed): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Node(_key, node) {
      const refused = refusedName(node);
      if (refused === undefined) return;
      const where = at(startOf(node));
      faults.push({
        where,
        what: `${printable(refused)} is not supported`,
        next: 'Write the value out here',
      });
    },
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const where = at(startOf(key));
        if (!isScalar(key)) {
          const what = 'a key must be plain text';
          if (!isAlias(key)) faults.push({ where, what, next: 'Write it without brackets' });
          continue;
        }
        const name = String(key.value);
        const what = `key ${printable(name)} appears twice`;
        if (seen.has(name)) faults.push({ where, what, next: 'Keep one of the two' });
        seen.add(name);
      }
    },
  });
  return faults;
}

/** What makes a node stand for something else than it seems to, by name; undefined for a plain one. */
function refusedName(node: Node): string | undefined {
  if (isAlias(node)) return `alias *${node.source}`;
  if (node.tag !== undefined) return `tag ${node.tag.replace('tag:yaml.org,2002:', '!!')}`;
  return 'anchor' in node && typeof node.anchor === 'string' ? `anchor &${node.anchor}` : undefined;
}

function plainValue(node: unknown): unknown {
  if (isScalar(node)) return node.value;
  if (isSeq(node)) return node.items.map(plainValue);
  if (!isMap(node)) return null;
  const entries = node.items.flatMap(({ key, value }): [string, unknown][] =>
    isScalar(key) ? [[String(key.value), plainValue(value)]] : [],
  );
  return Object.fromEntries(entries);
}

type PairFinder = (map: YAMLMap, key: string) => Pair | undefined;

/** Finds the pair whose value counts, remembering each map's keys: thousands of faults ask for thousands of keys. */
function pairFinder(): PairFinder {
  const indexes = new WeakMap<YAMLMap, Map<string, Pair>>();
  return (map, key) => {
    let index = indexes.get(map);
    if (index === undefined) {
      index = new Map(
        map.items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value), pair]] : [])),
      );
      indexes.set(map, index);
    }
    return index.get(key);
  };
}

function offsetOf(
  root: unknown,
  path: readonly PropertyKey[],
  part: 'value' | 'key',
  pairs: PairFinder,
): number {
  let node = root;
  let offset = startOf(root);
  for (const [depth, step] of path.entries()) {
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair = pairs(node, String(step));
      if (pair === undefined) return offset;
      if (last && part === 'key') return startOf(pair.key);
      node = pair.value;
      // A key without a value has no value to point at.
      offset = isEmpty(node) ? startOf(pair.key) : startOf(node);
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      if (item === undefined) return offset;
      node = item;
      offset = startOf(item);
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.range?.[0] === node.range?.[1]);
}
