// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { CommanderError } from 'commander';
import type { CommandContext } from './commands/context.ts';
import { buildProgram } from './commands/program.ts';
import { closeInherited } from './core/descriptors.ts';
import { ExitCode, PmvxError } from './core/errors.ts';
import { terminalLine } from './core/printable.ts';

// Before anything is started or opened.
closeInherited(process.argv.slice(2), process.env);
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(ExitCode.interrupted);
    stop.abort(new PmvxError(ExitCode.interrupted, { what: `stopped by ${name}` }));
    // After the abort, which takes a live line away.
    process.stderr.write('pmvx: stopping; once more to exit at once\n');
  });
}

// A reader that leaves early (`pmvx list runs | head -1`) is no fault, and no reason to stop measuring.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const root = resolve(import.meta.dirname, '..');
let catalog: ReturnType<CommandContext['catalog']> | undefined;

const context: CommandContext = {
  root,
  // Whatever a guest, a file or a neighbour said is in these lines, too.
  write: (line) => void process.stdout.write(`${terminalLine(line, process.stdout.isTTY)}\n`),
  warn: (line) => void process.stderr.write(`${terminalLine(line, process.stderr.isTTY)}\n`),
  catalog: () => {
    catalog ??= readCatalog();
    return catalog;
  },
  signal: stop.signal,
  isTTY: process.stdout.isTTY === true,
  env: process.env,
};

/** Every definition; what is left out for a fault of its own is told once. */
async function readCatalog(): ReturnType<CommandContext['catalog']> {
  const [{ loadCatalog }, { brokenWords }] = await Promise.all([
    import('./core/load-catalog.ts'),
    import('./core/catalog.ts'),
  ]);
  const read = await loadCatalog(root);
  const words = brokenWords(read);
  if (words !== undefined) context.warn(`pmvx: ${words}`);
  return read;
}

/** Says what went wrong on stderr and gives the exit code that stands for it. */
function report(error: unknown): ExitCode {
  // Commander has already printed help, version or its own complaint.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  if (error instanceof PmvxError) {
    for (const line of error.message.split('\n')) context.warn(`pmvx: ${line}`);
    if (process.env.PMVX_DEBUG) context.warn(String(error.stack));
    return error.code;
  }
  // Whatever a tool says after Ctrl-C is about having been stopped.
  if (stop.signal.aborted) {
    context.warn(`pmvx: ${(stop.signal.reason as PmvxError).message}`);
    return ExitCode.interrupted;
  }
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (process.env.PMVX_DEBUG) {
    context.warn(error instanceof Error ? String(error.stack) : words);
  } else {
    context.warn(`pmvx: unexpected ${words.split('\n')[0]}. Set PMVX_DEBUG=1 for the stack.`);
  }
  return ExitCode.failure;
}

process.on('uncaughtException', (error) => process.exit(report(error)));

try {
  let code: ExitCode = ExitCode.ok;
  const program = buildProgram(context, (ended) => {
    code = ended;
  });
  await program.parseAsync(process.argv);
  // Not process.exit(): a pipe may still hold output.
  process.exitCode = code;
} catch (error) {
  process.exitCode = report(error);
}
