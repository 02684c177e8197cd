// SPDX-License-Identifier: Apache-2.0
import { open, stat, truncate, writeFile } from 'node:fs/promises';
import type { Draw } from '../draw.ts';

export const DAMAGES = ['cut', 'emptied', 'flipped bit', 'zeroed block', 'garbage at the end'] as const;
export type Damage = (typeof DAMAGES)[number];

const BLOCK = 512;

/** Damages a file as a disk or a crash does; says how and where. A file with nothing in it only gets garbage. */
export async function damageFile(
  path: string,
  draw: Draw,
  kinds: readonly Damage[] = DAMAGES,
): Promise<string> {
  const { size } = await stat(path);
  const kind = size === 0 ? 'garbage at the end' : draw.oneOf(kinds);
  switch (kind) {
    case 'emptied':
      await truncate(path, 0);
      return `emptied (${size} bytes)`;
    case 'cut': {
      const to = draw.between(0, size - 1);
      await truncate(path, to);
      return `cut to ${to} of ${size} bytes`;
    }
    case 'flipped bit': {
      const [at, bit] = [draw.between(0, size - 1), draw.between(0, 7)];
      await change(path, at, 1, (bytes) => bytes.writeUInt8((bytes[0] as number) ^ (1 << bit)));
      return `bit ${bit} of byte ${at} of ${size} flipped`;
    }
    case 'zeroed block': {
      const at = draw.between(0, Math.floor((size - 1) / BLOCK)) * BLOCK;
      const length = Math.min(BLOCK, size - at);
      await change(path, at, length, (bytes) => bytes.fill(0));
      return `bytes ${at} to ${at + length} of ${size} zeroed`;
    }
    case 'garbage at the end': {
      const bytes = Buffer.from(Array.from({ length: draw.between(1, 200) }, () => draw.between(0, 255)));
      await writeFile(path, bytes, { flag: 'a' });
      return `${bytes.length} bytes of garbage at the end`;
    }
  }
}

async function change(
  path: string,
  at: number,
  length: number,
  edit: (bytes: Buffer) => void,
): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, at);
    edit(bytes);
    await file.write(bytes, 0, length, at);
  } finally {
    await file.close();
  }
}
