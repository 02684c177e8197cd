// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import project from '../../package.json' with { type: 'json' };
import { ExitCode } from '../core/errors.ts';
import { readSchedExt } from '../runtime/actuate/sched-ext.ts';
import { readConfig } from '../runtime/daemon/config.ts';
import { connectControl } from '../runtime/daemon/control-client.ts';
import { defaultPlaces } from '../runtime/daemon/places.ts';
import { ToolError } from '../runtime/mcp/failure.ts';
import type { McpParts } from '../runtime/mcp/parts.ts';
import { serveMcp } from '../runtime/mcp/server.ts';
import { thisMachine } from '../runtime/sense/machine.ts';
import type { CommandContext } from './context.ts';
import { mcpReports } from './mcp-reports.ts';
import { hostProbeObjects } from './probe-objects.ts';

export interface McpArgs {
  readonly map?: string;
  readonly config?: string;
  readonly socket?: string;
  readonly journal?: string;
  readonly allowApply?: true;
}

/** `pmvx mcp`: until its client closes stdin, or a signal. Stdout is the protocol's alone; whatever else is said goes to stderr. */
export async function mcpCommand(args: McpArgs, given: CommandContext): Promise<ExitCode> {
  // A library that prints would break the protocol.
  console.log = console.info = console.debug = console.error;
  const context: CommandContext = { ...given, write: given.warn, isTTY: false };
  const parts = await partsFor(args, context);
  const server = await serveMcp(parts, new StdioServerTransport());
  const stop = () => void server.close();
  context.signal.addEventListener('abort', stop, { once: true });
  process.stdin.once('end', stop);
  await server.closed;
  return ExitCode.ok;
}

async function partsFor(args: McpArgs, context: CommandContext): Promise<McpParts> {
  const config = await readConfig(args.config);
  const places = defaultPlaces(context.env);
  const map = args.map ?? config.map;
  const socket = args.socket ?? config.socket ?? places.socket;
  const state = config.places.state ?? places.state;
  const known = Object.fromEntries(Object.entries(config.machine).filter(([, value]) => value !== undefined));
  return {
    version: project.version,
    allowApply: args.allowApply === true,
    machine: thisMachine(known),
    objective: config.objective,
    async openMap() {
      if (map === undefined) {
        throw new ToolError(
          'no-map',
          'no map of policies was given',
          'Start pmvx mcp with --map FILE; pmvx learn RUN --map FILE makes one',
        );
      }
      const { readMap } = await import('../../analysis/policy-map/open-map.ts');
      return readMap(map);
    },
    daemon: () => connectControl(socket),
    async sense(windowMs, signal) {
      const { senseOnce } = await import('../runtime/mcp/sense-once.ts');
      const given = config.places.probes;
      const objects =
        given === undefined
          ? hostProbeObjects(config.probes, context)
          : { folder: given, remove: () => undefined };
      try {
        return await senseOnce({ sets: config.probes, objects: objects.folder, windowMs }, signal);
      } finally {
        objects.remove();
      }
    },
    kernel: () => readSchedExt(),
    async policies() {
      const { policies } = await context.catalog();
      return [...policies.values()];
    },
    async whatIf(asked, call) {
      const { askFutures } = await import('./mcp-what-if.ts');
      return askFutures(asked, call, context);
    },
    reports: mcpReports(context, args.journal ?? config.journal ?? join(state, 'journal.jsonl')),
  };
}
