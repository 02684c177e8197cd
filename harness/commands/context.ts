// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import type { ExitCode } from '../core/errors.ts';

/** All that a command may touch of the process it runs in; `cli.ts` makes the real one. */
export interface CommandContext {
  /** Folder of the project: where bpf, workloads, vm-images and results are. */
  readonly root: string;
  /** One line on stdout, without its newline. */
  write(line: string): void;
  /** One line on stderr, without its newline. */
  warn(line: string): void;
  /** Every workload, policy and recipe there is; read when first asked for. */
  catalog(): Promise<Catalog>;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Whether stdout is a terminal. */
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A command: prints through its context and says how it ended. Errors are thrown as `PmvxError`. */
export type Command<Args> = (args: Args, context: CommandContext) => Promise<ExitCode>;
