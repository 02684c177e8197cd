// SPDX-License-Identifier: Apache-2.0
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** open(2), as /proc/PID/fdinfo shows it. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes what whoever started this process left open for it, beside 0, 1 and 2, so that no child has it either. What an argument names
 * (`/dev/fd/63` of a shell's `<(...)`), Node's own channel to its parent, and the launcher's lock (`.pmvx/lock`) stay. What this process opens itself is closed at exec anyway.
 */
export function closeInherited(argv: readonly string[], env: NodeJS.ProcessEnv): void {
  const kept = new Set([0, 1, 2, Number(env.NODE_CHANNEL_FD ?? 0)]);
  for (const word of argv) {
    for (const [, fd] of word.matchAll(/\/(?:dev|proc\/self)\/fd\/(\d+)/g)) kept.add(Number(fd));
  }
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (!kept.has(fd) && isInherited(fd)) closeSync(fd);
  }
}

/** Whatever Node opens has O_CLOEXEC; what came over exec(2) has not. */
function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    if (flags === undefined || (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0) return false;
    return !readlinkSync(`/proc/self/fd/${fd}`).endsWith('/.pmvx/lock');
  } catch {
    // The one that listed them is gone.
    return false;
  }
}
