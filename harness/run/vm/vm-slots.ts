// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Most machines at once, over all test files: tests run on two cores, and a machine keeps one busy. */
export const SLOTS = 2;

type Release = () => void;

/**
 * Does `task` while it holds `count` of the slots that all processes on this host share. A slot is an abstract socket:
 * only one process can listen on it, and the kernel gives it back however that process ends.
 */
export async function withSlots<T>(count: number, task: () => Promise<T>): Promise<T> {
  const held: Release[] = [];
  // Who waits for several must not be overtaken for ever by those who need one.
  const leave = await lockAny(['gate']);
  try {
    const names = Array.from({ length: SLOTS }, (_, at) => `slot-${at}`);
    while (held.length < count) held.push(await lockAny(names));
  } finally {
    leave();
  }
  try {
    return await task();
  } finally {
    for (const release of held) release();
  }
}

async function lockAny(names: readonly string[]): Promise<Release> {
  for (;;) {
    for (const name of names) {
      const release = await tryLock(name);
      if (release !== undefined) return release;
    }
    await firstFree(names);
  }
}

/** Abstract: a name that begins with NUL is no file and cannot be left behind. */
function address(name: string): string {
  return `\0pmvx-vm-test-${process.getuid?.()}-${name}`;
}

async function tryLock(name: string): Promise<Release | undefined> {
  const waiting = new Set<Socket>();
  const server: Server = createServer((socket) => waiting.add(socket.on('error', () => undefined)));
  try {
    server.listen(address(name));
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  return () => {
    server.close();
    // Their end tells those who wait.
    for (const socket of waiting) socket.destroy();
  };
}

/** Resolves when one of the holders has let go. */
async function firstFree(names: readonly string[]): Promise<void> {
  const sockets = names.map((name) => connect(address(name)).on('error', () => undefined));
  await Promise.race(sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve))));
  for (const socket of sockets) socket.destroy();
}
