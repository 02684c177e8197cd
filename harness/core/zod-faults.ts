// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import type { Fault } from './errors.ts';
import { didYouMean } from './nearest.ts';
import { printable } from './printable.ts';
import { describedAt, knownKeys, valueAt } from './schema-keys.ts';
import type { YamlSource } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;

/** So many unknown keys of one mapping are named. */
const MOST_KEYS = 20;

/**
 * What zod found, in plain words with places: `file:1:8: repetitions must be at least 2, got 1`. A schema's own message
 * is used as it is, after the name and before the value seen, so write it as `must be ...`. Where nothing nearer helps, the
 * next step is the schema's own description of the value, or of what it is a part of.
 */
export function zodFaults(error: z.ZodError, source: YamlSource, schema: z.ZodType): Fault[] {
  return narrowest(error.issues).flatMap((issue) => issueFaults(issue, source, schema));
}

/** Of several complaints about one value the last is the narrowest: its range, not that of all whole numbers. */
function narrowest(issues: readonly Issue[]): Issue[] {
  const lastOf = new Map<string, Issue>();
  for (const issue of issues) {
    const about = issue.code === 'unrecognized_keys' || issue.code === 'invalid_key' ? 'key' : 'value';
    lastOf.set(JSON.stringify([about, issue.path]), issue);
  }
  return [...lastOf.values()];
}

function issueFaults(issue: Issue, source: YamlSource, schema: z.ZodType): Fault[] {
  const { path } = issue;
  const seen = valueAt(source.value, path);
  const where = source.locate(path);
  const name = nameOf(path);

  if (issue.code === 'unrecognized_keys') {
    const candidates = knownKeys(schema, path, source.value);
    const of = path.length === 0 ? '' : ` in ${name}`;
    const faults: Fault[] = issue.keys.slice(0, MOST_KEYS).map((key) => ({
      where: source.locate([...path, key], 'key'),
      what: `unknown key ${printable(key)}${of}`,
      next: didYouMean(key, candidates),
    }));
    const more = issue.keys.length - faults.length;
    return more > 0 ? [...faults, { where, what: `${more} more unknown keys${of}` }] : faults;
  }
  if (issue.code === 'invalid_key') {
    const reasons = issue.issues.map((inner) => complaint(inner)).join(' and ');
    return [{ where: source.locate(path, 'key'), what: `the name ${name} ${reasons}`, next: 'Rename it' }];
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0 && !isSchemasOwn(issue.message)) {
    const branch = meantBranch(issue.errors);
    if (branch) {
      const inner = branch.map((each) => ({ ...each, path: [...path, ...each.path] }) as Issue);
      return inner.flatMap((each) => issueFaults(each, source, schema));
    }
  }
  const about = describedAt(schema, path, source.value);
  if (seen === undefined && issue.code !== 'custom') {
    const next = about === undefined ? `Add it; it ${complaint(issue)}` : `Add it: ${about}`;
    return [{ where, what: `${name} is missing`, next }];
  }
  const next = nextStep(issue, seen) ?? about ?? describedAbove(schema, path, source.value);
  const what = `${name} ${complaint(issue)}, got ${shown(seen)}`;
  return [next === undefined ? { where, what } : { where, what, next }];
}

function describedAbove(schema: z.ZodType, path: readonly PropertyKey[], value: unknown): string | undefined {
  if (path.length === 0) return undefined;
  const above = path.slice(0, -1);
  return describedAt(schema, above, value) ?? describedAbove(schema, above, value);
}

/** What a value must be, as the rest of a sentence. */
function complaint(issue: Issue): string {
  if (isSchemasOwn(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeName(issue.expected)}`;
    case 'too_small': {
      if (issue.origin === 'string') return 'must not be empty';
      if (issue.origin === 'array') return `must have at least ${counted(issue.minimum, 'entry', 'entries')}`;
      return issue.inclusive ? `must be at least ${issue.minimum}` : `must be more than ${issue.minimum}`;
    }
    case 'too_big': {
      if (issue.origin === 'string') return `must have at most ${counted(issue.maximum, 'character')}`;
      if (issue.origin === 'array') return `must have at most ${counted(issue.maximum, 'entry', 'entries')}`;
      return issue.inclusive ? `must be at most ${issue.maximum}` : `must be less than ${issue.maximum}`;
    }
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return issue.pattern === undefined ? `must be a valid ${issue.format}` : `must match ${issue.pattern}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_union': {
      const { options } = issue as { options?: readonly unknown[] };
      return options ? `must be one of ${options.join(', ')}` : `must be ${unionOf(issue.errors)}`;
    }
    default:
      return `is not valid (${issue.message})`;
  }
}

/** zod's messages begin with these words; any other text was given with the schema. */
function isSchemasOwn(message: string): boolean {
  return !/^(Invalid|Too (small|big)|Unrecognized)/.test(message);
}

function nextStep(issue: Issue, seen: unknown): string | undefined {
  const options =
    issue.code === 'invalid_value' ? issue.values : (issue as { options?: readonly unknown[] }).options;
  if (options === undefined || typeof seen !== 'string') return undefined;
  const hint = didYouMean(seen, options.map(String));
  return hint.startsWith('Did you mean') ? hint : undefined;
}

/** The branch that fits the value's own type: its faults lie deeper than the value itself. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter(
    (issues) => !issues.some((i) => i.code === 'invalid_type' && i.path.length === 0),
  );
  return fitting.sort((a, b) => a.length - b.length)[0];
}

function unionOf(branches: readonly (readonly Issue[])[]): string {
  const names = branches.flatMap((issues) =>
    issues.flatMap((issue) => (issue.code === 'invalid_type' ? [typeName(issue.expected)] : [])),
  );
  return [...new Set(names)].join(' or ');
}

function typeName(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    int: 'a whole number',
    number: 'a number',
    string: 'text',
    boolean: 'true or false',
    array: 'a list',
    object: 'a mapping',
    record: 'a mapping',
  };
  return names[expected] ?? expected;
}

function counted(count: number | bigint, one: string, many = `${one}s`): string {
  return `${count} ${Number(count) === 1 ? one : many}`;
}

/** `workloads[0].use` for a path; the whole file for none. */
export function nameOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the file';
  return path
    .map((step, depth) =>
      typeof step === 'number' ? `[${step}]` : `${depth === 0 ? '' : '.'}${printable(String(step))}`,
    )
    .join('');
}

/** A value as it may stand in a message: text in quotes, long values cut. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = printable(JSON.stringify(value));
  // By characters: half of one cannot be shown.
  const characters = [...text];
  return characters.length <= 60 ? text : `${characters.slice(0, 57).join('')}...`;
}
