// SPDX-License-Identifier: Apache-2.0
// A client of the SDK that talks to `pmvx mcp` over stdio, for tests.
import { resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Progress } from '@modelcontextprotocol/sdk/types.js';
import type { Failure } from './failure.ts';

const CLI = resolve(import.meta.dirname, '../../cli.ts');

export interface Agent {
  readonly client: Client;
  /** What a tool answered; throws when it failed. */
  ask<T = Record<string, unknown>>(tool: string, given?: Record<string, unknown>): Promise<T>;
  /** What a tool answered in words. */
  words(tool: string, given?: Record<string, unknown>): Promise<string>;
  /** How a tool failed; throws when it did not. */
  fails(tool: string, given?: Record<string, unknown>): Promise<Failure>;
  /** As `ask`, with progress and a signal. */
  watch(
    tool: string,
    given: Record<string, unknown>,
    watching: { onprogress?: (progress: Progress) => void; signal?: AbortSignal },
  ): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** Starts the server as a client's configuration would, and says hello. `cli`: what Node runs as `pmvx`. */
export async function openAgent(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cli: readonly string[] = [CLI],
): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...cli, 'mcp', ...args],
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stderr: 'pipe',
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  // The client checks answers against the schemas that it has seen.
  await client.listTools();
  return agentOf(client);
}

export function agentOf(client: Client): Agent {
  const call = async (
    name: string,
    given: Record<string, unknown> = {},
    options?: Parameters<Client['callTool']>[2],
  ) => {
    const result = await client.callTool({ name, arguments: given }, undefined, {
      timeout: 600_000,
      resetTimeoutOnProgress: true,
      ...options,
    });
    const [first] = result.content as { type: string; text: string }[];
    return { result, text: first?.text ?? '' };
  };
  const ask = async (
    name: string,
    given: Record<string, unknown> = {},
    options?: Parameters<Client['callTool']>[2],
  ) => {
    const { result, text } = await call(name, given, options);
    if (result.isError === true) throw new Error(`${name}: ${text}`);
    return result.structuredContent as Record<string, unknown>;
  };
  return {
    client,
    ask: async <T>(name: string, given?: Record<string, unknown>) => (await ask(name, given)) as T,
    words: async (name, given) => (await call(name, given)).text,
    async fails(name, given) {
      const { result, text } = await call(name, given);
      if (result.isError !== true) throw new Error(`${name} did not fail: ${text}`);
      return (JSON.parse(text) as { error: Failure }).error;
    },
    watch: ask,
    close: () => client.close(),
  };
}
