// SPDX-License-Identifier: Apache-2.0
import { parse } from 'yaml';
import type { TapTest } from './read-tap.ts';

interface Diagnosis {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly assertion?: unknown;
  readonly details?: unknown;
  readonly at?: unknown;
}

/** What a failed test says, for people: the words first, then the values, then the place. */
export function failureText(test: Pick<TapTest, 'log' | 'diagnosis'>): string[] {
  if (test.diagnosis === undefined) return [...test.log];
  const read = parseDiagnosis(test.diagnosis);
  if (read === undefined) return [...test.log, ...test.diagnosis.split('\n')];
  const details = typeof read.details === 'object' && read.details !== null ? read.details : {};
  return [
    ...test.log,
    [read.name, read.assertion, read.message].filter(isText).join(': '),
    ...Object.entries(details).flatMap(([label, value]) => [label, ...String(value).split('\n').map(indent)]),
    ...(isText(read.at) ? [`at ${read.at.trim()}`] : []),
  ].filter((line) => line !== '');
}

function parseDiagnosis(text: string): Diagnosis | undefined {
  try {
    const read: unknown = parse(text);
    return typeof read === 'object' && read !== null ? read : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function indent(line: string): string {
  return `  ${line}`;
}
