// SPDX-License-Identifier: Apache-2.0
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';

/**
 * Leads the process group of a step. A signal, also the one that the kernel sends when the builder dies, ends the whole
 * group at once: nothing is worth finishing, for nothing half done is kept. Detached, for else the group is the builder's.
 */
const LEADER = 'trap "kill -KILL 0" TERM INT; "$@" & wait "$!"';

/** mmdebstrap sends HUP to its own process group when it fails; the shell has to live to hand on its exit code. */
const SHELL_HEAD = 'trap : HUP; ';

/**
 * A `spawn` for zx whose shells die with this process, also when it is killed outright. Who may make namespaces as root
 * gets one for processes and one for mounts, so that not even what left the process group outlives a step.
 */
export function boundSpawn(): typeof spawn {
  const own = ownNamespaces();
  const bound = (command: string, _args: readonly string[], options: SpawnOptions) => {
    const leader = ['--pdeathsig', 'TERM', 'bash', '-c', LEADER, 'step'];
    const shell = [String(options.shell), '-c', SHELL_HEAD + command];
    return spawn('setpriv', [...leader, ...own, ...shell], { ...options, shell: false, detached: true });
  };
  return bound as typeof spawn;
}

function ownNamespaces(): string[] {
  if (process.getuid?.() !== 0) return [];
  // A session of its own keeps mmdebstrap's HUP from the leader and from unshare.
  const prefix = ['unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', 'setsid'];
  const [program = '', ...options] = prefix;
  return spawnSync(program, [...options, 'true']).status === 0 ? prefix : [];
}
