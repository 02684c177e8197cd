// SPDX-License-Identifier: Apache-2.0
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { Fault } from './errors.ts';

/** Longest YAML text that is read; nothing written by hand comes near it. */
export const MAX_YAML_CHARACTERS = 1 << 20;

/** A YAML text with the way back from a value to its place in the text. */
export interface YamlSource {
  /** The plain value; undefined when there are faults. */
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
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };

  const faults = [...syntaxFaults(document, text, at), ...refusedNodes(document, at)];
  if (faults.length === 0 && document.contents === null) {
    faults.push({
      where: `${file}:1:1`,
      what: 'the file is empty',
      next: 'Write a mapping of keys to values',
    });
  }
  if (faults.length > 0) return broken(file, faults);

  const locate = (path: readonly PropertyKey[], part: 'value' | 'key' = 'value'): string =>
    at(offsetOf(document.contents, path, part));
  return { value: document.toJS({ maxAliasCount: 0 }), faults: [], locate };
}

function broken(file: string, faults: readonly Fault[]): YamlSource {
  return { value: undefined, faults, locate: () => `${file}:1:1` };
}

type Placed = (offset: number) => string;

function syntaxFaults(document: Document.Parsed, text: string, at: Placed): Fault[] {
  const problems = [...document.errors, ...document.warnings];
  const exhausted = problems.find((problem) => problem.code === 'RESOURCE_EXHAUSTION');
  if (exhausted) {
    return [{ where: at(exhausted.pos[0]), what: 'values are nested too deeply', next: 'Flatten them' }];
  }
  return problems.map((problem) => {
    const where = at(problem.pos[0]);
    if (problem.code === 'DUPLICATE_KEY') {
      const name = text.slice(problem.pos[0]).match(/^[^\s:]+/)?.[0] ?? '';
      return { where, what: `key ${name} appears twice`, next: 'Keep one of the two' };
    }
    if (problem.code === 'MULTIPLE_DOCS') {
      return { where, what: 'a second YAML document begins here', next: 'Keep one document a file' };
    }
    return {
      where,
      what: `not valid YAML: ${problem.message}`,
      next: 'Correct the syntax here or just before',
    };
  });
}

function refusedNodes(document: Document.Parsed, at: Placed): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Alias(_key, alias) {
      const next = 'Write the value out here';
      faults.push({
        where: at(alias.range?.[0] ?? 0),
        what: `alias *${alias.source} is not supported`,
        next,
      });
    },
    Pair(_key, pair) {
      if (isScalar(pair.key) || isAlias(pair.key)) return;
      const where = at(startOf(pair.key));
      faults.push({ where, what: 'a key must be plain text', next: 'Write it without brackets' });
    },
  });
  return faults;
}

function offsetOf(root: unknown, path: readonly PropertyKey[], part: 'value' | 'key'): number {
  let node = root;
  let offset = startOf(root);
  for (const [depth, step] of path.entries()) {
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
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
