// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { boundTo } from '../../lab/machine-process.ts';

/** Does `task` while other processes keep both cores busy, as `stress-ng --cpu 2` would. */
export async function onBusyHost<T>(task: () => Promise<T>): Promise<T> {
  const [program, ...args] = boundTo(process.pid, [process.execPath, '-e', 'for (;;);']);
  const loops = [1, 2].map(() => spawn(program, args, { stdio: 'ignore' }));
  try {
    return await task();
  } finally {
    await Promise.all(
      loops.map((loop) => {
        const end = once(loop, 'close');
        loop.kill('SIGKILL');
        return end;
      }),
    );
  }
}
