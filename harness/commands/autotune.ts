// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ExitCode } from '../core/errors.ts';
import { runDaemon } from '../runtime/daemon/start.ts';
import type { CommandContext } from './context.ts';

export interface AutotuneArgs {
  readonly map?: string;
  readonly config?: string;
  readonly dryRun?: true;
  readonly metrics?: string;
  readonly journal?: string;
  readonly socket?: string;
  readonly state?: string;
}

/** Where an image puts compiled schedulers and probes; a machine that runs pmvx by itself has them there, too. */
const INSTALLED = '/opt/pmvx';

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
        probes: probesFolder(context.env),
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

/** Compiled probes: installed, or those of the newest image in the cache (harness/lab/image-files.ts), for probes run on any kernel. */
function probesFolder(env: CommandContext['env']): string {
  const installed = join(INSTALLED, 'probes');
  if (existsSync(installed)) return installed;
  const cache = env.PMVX_CACHE || join(env.XDG_CACHE_HOME || join(env.HOME ?? '/root', '.cache'), 'pmvx');
  const [newest] = globSync(join(cache, 'images/*/probes/cpu.bpf.o'))
    .map((path) => ({ path, changed: statSync(path).mtimeMs }))
    .sort((a, b) => b.changed - a.changed);
  return newest === undefined ? installed : dirname(newest.path);
}
