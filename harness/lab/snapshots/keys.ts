// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { canonicalJson, shortDigest } from '../../core/ids.ts';

/** All that shapes a machine up to its fork point: equal parts give equal bits, so they name the snapshot. */
export const SnapshotPartsSchema = z.strictObject({
  /** Raised when the same other parts give another machine or other files. */
  v: z.int(),
  /** Digest of the image, with QEMU, kernel and plugins. */
  image: z.string(),
  /** QEMU's arguments without paths, in their order. */
  arguments: z.array(z.string()).readonly(),
  /** SHA-256, hexadecimal, of each mailbox block that the guest read before the fork point. */
  blocks: z.array(z.string()).readonly(),
  /** Key of the snapshot that this one was forked from; absent when the machine was booted. */
  parent: z.string().optional(),
});

export type SnapshotParts = Readonly<z.infer<typeof SnapshotPartsSchema>>;

const KEY = /^[0-9a-f]{16}$/;

/** The name of a snapshot: 16 hexadecimal digits, others for any other parts. */
export function snapshotKey(parts: SnapshotParts): string {
  return shortDigest(canonicalJson(parts));
}

/** Whether `text` may be a key; anything else in the store's folder is no snapshot. */
export function isSnapshotKey(text: string): boolean {
  return KEY.test(text);
}
