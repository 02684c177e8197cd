// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';

/** Limits a process that runs; false when it has ended meanwhile. */
export async function limit(pid: number, resource: 'nofile', most: number): Promise<boolean> {
  const { failed } = await execa('prlimit', ['--pid', String(pid), `--${resource}=${most}:${most}`], {
    reject: false,
  });
  return !failed;
}
