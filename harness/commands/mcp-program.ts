// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';

const MCP_NOTES = `
Speaks the Model Context Protocol on stdin and stdout, for agents: observe, recommend, what_if, policies, evidence, propose, apply,
rollback, explain, and reports as resources. What acts goes through the daemon (pmvx autotune) and obeys its safeguards; without
--allow-apply nothing acts. What only reads needs no daemon: a window is then observed with probes of its own, which needs root.

An entry of a client's configuration:
  "pmvx": { "command": "/path/to/pmvx", "args": ["mcp", "--map", "/var/lib/pmvx/map.db"] }

Examples:
  pmvx mcp --map map.db
  sudo pmvx mcp --map map.db --allow-apply
  sudo pmvx mcp --config /etc/pmvx/autotune.yaml    map, machine and socket as the daemon has them`;

/** Adds `pmvx mcp`. */
export function addMcpCommand(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('mcp')
    .description('serve agents over stdio: observe, recommend, ask what if, propose and apply policies')
    .option('--map <map>', 'file of the map, or postgres://user@host/database?map=name')
    .option('--config <file>', "the daemon's configuration")
    .option('--socket <path>', "the daemon's control socket; default /run/pmvx/autotune.sock")
    .option('--journal <file>', "the daemon's journal; default journal.jsonl in its state folder")
    .option('--allow-apply', 'let apply and rollback act')
    .addHelpText('after', MCP_NOTES)
    .action(async (options: import('./mcp.ts').McpArgs) => {
      const { mcpCommand } = await import('./mcp.ts');
      finish(await mcpCommand(options, context));
    });
}
