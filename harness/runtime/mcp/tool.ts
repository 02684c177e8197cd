// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { printable, printableData, printableLines } from '../../core/printable.ts';
import { type Failure, failureOf, ToolError } from './failure.ts';

/** One call of a tool, as the tool sees it. */
export interface Call {
  /** Aborted when the client cancels the call or goes. */
  readonly signal: AbortSignal;
  /** Tells the client how far the call is; nothing when it did not ask for that. */
  progress(done: number, total: number, message: string): void;
}

/** What a tool answers: in words for whoever reads, and as data that fit the tool's schema. */
export interface Said<Output> {
  readonly words: string;
  readonly data: Output;
}

export interface Tool<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** What the tool does to the world; hints for whoever asks a person first. */
  readonly effects: 'reads' | 'computes' | 'proposes' | 'acts';
  run(given: z.infer<Input>, call: Call): Promise<Said<z.infer<Output>>>;
}

/** Keeps a tool's types to itself, so that tools of all kinds fit into one list. */
export function tool<Input extends z.ZodObject, Output extends z.ZodObject>(
  given: Tool<Input, Output>,
): Tool {
  return given as unknown as Tool;
}

/** The tool as `tools/list` shows it. */
export function describeTool({ name, title, description, input, output, effects }: Tool) {
  const acts = effects === 'acts';
  return {
    name,
    title,
    description,
    inputSchema: schemaOf(input, 'input'),
    outputSchema: schemaOf(output, 'output'),
    annotations: {
      title,
      readOnlyHint: effects === 'reads' || effects === 'computes',
      destructiveHint: acts,
      idempotentHint: effects === 'reads',
      openWorldHint: false,
    },
  };
}

type ObjectSchema = { readonly type: 'object'; readonly [key: string]: unknown };

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): ObjectSchema {
  return z.toJSONSchema(schema, { io, target: 'draft-7' }) as ObjectSchema;
}

type ToolResult = {
  content: { type: 'text'; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
};

/** Checks what was given, runs the tool, and puts its answer or failure into the protocol's words. Never throws. */
export async function callTool(tool: Tool, given: unknown, call: Call): Promise<ToolResult> {
  try {
    const { words, data } = await tool.run(checked(tool, given), call);
    const structuredContent = printableData(tool.output.parse(data)) as Record<string, unknown>;
    return { content: [{ type: 'text', text: printableLines(words) }], structuredContent };
  } catch (error) {
    return failed(
      call.signal.aborted ? { code: 'cancelled', what: 'the call was cancelled' } : failureOf(error),
    );
  }
}

function checked(tool: Tool, given: unknown): Record<string, unknown> {
  const read = tool.input.safeParse(given ?? {});
  const known = Object.keys(tool.input.shape).join(', ');
  const strange = Object.keys((given ?? {}) as object).find((key) => !Object.hasOwn(tool.input.shape, key));
  // A misspelt argument that may be left out would change nothing, and nobody would know.
  if (read.success && strange !== undefined) {
    throw new ToolError(
      'bad-params',
      `${tool.name}: it takes no argument ${JSON.stringify(printable(strange))}`,
      known === '' ? 'It takes no arguments' : `It takes ${known}`,
    );
  }
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'arguments' : issue.path.join('.');
  throw new ToolError(
    'bad-params',
    `${tool.name}: ${where}: ${issue?.message}`,
    known === '' ? 'It takes no arguments' : `It takes ${known}`,
  );
}

function failed(failure: Failure): ToolResult {
  return {
    isError: true,
    content: [{ type: 'text', text: JSON.stringify({ error: printableData(failure) }) }],
  };
}
