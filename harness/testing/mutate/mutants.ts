// SPDX-License-Identifier: Apache-2.0
import { stripTypeScriptTypes } from 'node:module';
import { type AnyNode, type ConditionalExpression, type IfStatement, type Node, parse } from 'acorn';
import { full } from 'acorn-walk';

/** One small change of a source. */
export interface Mutant {
  /** Path from the project's root. */
  readonly file: string;
  /** Offsets of what is replaced. */
  readonly start: number;
  readonly end: number;
  readonly with: string;
  /** Which kind of change. */
  readonly operator: string;
  /** From 1. */
  readonly line: number;
}

type Change = readonly [operator: string, start: number, end: number, replacement: string];

const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&&': ['||'],
  '||': ['&&'],
  '+=': ['-='],
  '-=': ['+='],
};

const KINDS: Readonly<Record<string, string>> = {
  BinaryExpression: 'operator',
  LogicalExpression: 'logic',
  AssignmentExpression: 'assignment',
};

/** Methods that are exchanged, and those that are left out. */
const EXCHANGED: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
};
const LEFT_OUT = new Set(['slice', 'sort', 'toSorted', 'reverse', 'toReversed', 'filter', 'trim', 'trimEnd']);

/** Changes of a source of TypeScript, in the order of the source. Types are not changed. */
export function mutantsOf(file: string, source: string): Mutant[] {
  // Types become blanks, so that offsets stay.
  const plain = stripTypeScriptTypes(source);
  const found: Change[] = [];
  full(parse(plain, { ecmaVersion: 'latest', sourceType: 'module' }), (node) => {
    found.push(...changesOf(node as AnyNode, plain));
  });
  return found
    .map(([operator, start, end, text]) => ({
      file,
      start,
      end,
      with: text,
      operator,
      line: lineOf(source, start),
    }))
    .filter((each) => source.slice(each.start, each.end) !== each.with)
    .sort((a, b) => a.start - b.start || a.end - b.end || a.with.localeCompare(b.with, 'en'));
}

/** The source with the change in it. */
export function mutate(source: string, { start, end, with: text }: Mutant): string {
  return source.slice(0, start) + text + source.slice(end);
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}

function changesOf(node: AnyNode, text: string): Change[] {
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression':
    case 'AssignmentExpression': {
      if (node.type === 'LogicalExpression' && node.operator === '??')
        return [['default', node.start, node.end, `(${textOf(node.left, text)})`]];
      if (isText(node.left) || isText(node.right)) return [];
      const at = text.indexOf(node.operator, node.left.end);
      return (OPERATORS[node.operator] ?? []).map(
        (other) => [KINDS[node.type] as string, at, at + node.operator.length, other] as const,
      );
    }
    case 'IfStatement':
    case 'ConditionalExpression':
      return conditions(node);
    case 'UnaryExpression':
      return node.operator === '!' || node.operator === '-'
        ? [['sign', node.start, node.argument.start, node.operator === '-' ? '+' : '!!']]
        : [];
    case 'UpdateExpression': {
      const at = node.prefix ? node.start : node.end - 2;
      return [['assignment', at, at + 2, node.operator === '++' ? '--' : '++']];
    }
    case 'Literal':
      return constants(node.value, node);
    case 'AwaitExpression':
      return [['await', node.start, node.argument.start, '']];
    case 'ExpressionStatement':
      return [['statement', node.start, node.end, ';']];
    case 'ThrowStatement':
    case 'ContinueStatement':
      return [['statement', node.start, node.end, ';']];
    case 'MemberExpression':
      return node.optional && !node.computed ? [['chain', node.object.end, node.property.start, '.']] : [];
    case 'ObjectExpression':
      return node.properties.map(({ start, end }) => {
        const comma = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0;
        return ['property', start, end + comma, ''] as const;
      });
    case 'CallExpression': {
      const { callee } = node;
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return [];
      const { name, start, end } = callee.property;
      if (LEFT_OUT.has(name)) return [['call', callee.object.end, node.end, '']];
      const other = EXCHANGED[name];
      return other === undefined ? [] : [['method', start, end, other]];
    }
    default:
      return [];
  }
}

function conditions({ test }: IfStatement | ConditionalExpression): Change[] {
  return ['true', 'false'].map((value) => ['condition', test.start, test.end, value] as const);
}

function constants(value: unknown, { start, end }: Node): Change[] {
  if (typeof value === 'number') return [['constant', start, end, String(value + 1)]];
  return typeof value === 'boolean' ? [['constant', start, end, String(!value)]] : [];
}

function isText(node: AnyNode): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string');
}

function textOf({ start, end }: Node, text: string): string {
  return text.slice(start, end);
}
