// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly const?: unknown;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

/** The keys that `schema` knows for the mapping at `path` of `value`; of a tagged union, those of the branch that `value` names. */
export function knownKeys(schema: z.ZodType, path: readonly PropertyKey[], value: unknown): string[] {
  return [...new Set(nodesAt(schema, path, value).flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** How `schema` describes the value at `path`; undefined when it does not. */
export function describedAt(
  schema: z.ZodType,
  path: readonly PropertyKey[],
  value: unknown,
): string | undefined {
  return nodesAt(schema, path, value).find((node) => node.description !== undefined)?.description;
}

function nodesAt(schema: z.ZodType, path: readonly PropertyKey[], value: unknown): SchemaNode[] {
  const root = jsonSchemaOf(schema);
  let nodes = branches(root, root, value);
  let inner = value;
  for (const step of path) {
    inner = valueAt(inner, [step]);
    nodes = nodes.flatMap((node) => below(node, step)).flatMap((node) => branches(node, root, inner));
  }
  return nodes;
}

const jsonSchemas = new WeakMap<z.ZodType, SchemaNode>();

/** Made once a schema: a text with thousands of faults asks for it thousands of times. */
function jsonSchemaOf(schema: z.ZodType): SchemaNode {
  const known = jsonSchemas.get(schema);
  if (known) return known;
  const made = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  jsonSchemas.set(schema, made);
  return made;
}

/** The value at `path` inside `value`, or undefined. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const step of path) {
    if (inner === null || typeof inner !== 'object' || !Object.hasOwn(inner, step)) return undefined;
    inner = (inner as Record<PropertyKey, unknown>)[step];
  }
  return inner;
}

function below(node: SchemaNode, step: PropertyKey): SchemaNode[] {
  if (typeof step === 'number') return node.items ? [node.items] : [];
  const named = node.properties?.[String(step)];
  if (named) return [named];
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
}

function branches(node: SchemaNode, root: SchemaNode, value: unknown): SchemaNode[] {
  if (node.$ref !== undefined) {
    const target = node.$ref === '#' ? root : root.$defs?.[node.$ref.replace('#/$defs/', '')];
    return target ? branches(target, root, value) : [];
  }
  const inner = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  const expanded = inner.flatMap((branch) => branches(branch, root, value));
  return [node, ...expanded].filter((branch) => agrees(branch, value));
}

/** A branch whose tag, a constant that it asks for, differs from the value's is not the one that was meant. */
function agrees(node: SchemaNode, value: unknown): boolean {
  return (node.required ?? []).every((key) => {
    const tag = node.properties?.[key]?.const;
    return tag === undefined || valueAt(value, [key]) === tag;
  });
}
