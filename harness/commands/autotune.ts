// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { ExitCode } from '../core/errors.ts';
import { runDaemon } from '../runtime/daemon/start.ts';
import type { CommandContext } from './context.ts';
import { findProbes, INSTALLED } from './probe-objects.ts';

export interface AutotuneArgs {
  readonly map?: string;
  readonly config?: string;
  readonly dryRun?: true;
  readonly metrics?: string;
  readonly journal?: string;
  readonly socket?: string;
  readonly state?: string;
}

/** `pmvx autotune`: until SIGTERM or Ctrl-C. */
export async function autotuneCommand(args: AutotuneArgs, context: CommandContext): Promise<ExitCode> {
  const { dryRun, ...given } = args;
  await runDaemon(
    {
      ...given,
      dry: dryRun === true,
      places: {
        policies: join(context.root, 'bpf/policies'),
        objects: join(INSTALLED, 'sched'),
        probes: findProbes(context.env) ?? join(INSTALLED, 'probes'),
      },
      env: context.env,
      say: context.warn,
      onSignals: ({ reload, kill }) => {
        // Elsewhere a hang-up ends the command; a daemon reads its configuration anew.
        process.removeAllListeners('SIGHUP');
        process.on('SIGHUP', reload);
        process.on('SIGUSR1', kill);
      },
    },
    context.signal,
  );
  return ExitCode.ok;
}
