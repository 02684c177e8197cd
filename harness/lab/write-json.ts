// SPDX-License-Identifier: Apache-2.0
import { open, rename } from 'node:fs/promises';

/** Replaces a file by JSON as one step: written beside, synced, renamed. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  const file = await open(beside, 'w');
  try {
    await file.writeFile(`${JSON.stringify(value, null, 1)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}
