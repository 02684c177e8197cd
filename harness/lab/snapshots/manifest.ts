// SPDX-License-Identifier: Apache-2.0
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson, shortDigest } from '../../core/ids.ts';
import { isSnapshotKey, SnapshotPartsSchema, snapshotKey } from './keys.ts';

/** Names inside a snapshot's folder, besides `ram-0`, `ram-1`, ... */
export const SNAPSHOT_FILES = {
  /** State of vCPUs and devices. */
  state: 'state',
  /** What the guest had sent before the fork point. */
  data: 'data',
  console: 'console.log',
  manifest: 'snapshot.json',
  /** Empty. Its lock says who uses the snapshot, its time of change when it was last asked for. */
  used: 'used',
} as const;

/** Guest memory of a NUMA node. */
export function ramFile(node: number): string {
  return `ram-${node}`;
}

/** Version of the manifest; a folder of another is made again. */
const VERSION = 1;

const ManifestSchema = z.strictObject({
  v: z.literal(VERSION),
  key: z.string(),
  parts: SnapshotPartsSchema,
  files: z.record(
    z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
    z.strictObject({ size: z.int(), digest: z.string() }),
  ),
  createdAt: z.iso.datetime(),
  /** What the engine wants to know of the machine again; the store does not look into it. */
  facts: z.json(),
});

/** What a snapshot is made of; `snapshot.json` in its folder, with a digest of itself. */
export type SnapshotManifest = Readonly<Omit<z.infer<typeof ManifestSchema>, 'v'>>;

/** Any value that JSON can say. */
export type Json = z.infer<ReturnType<typeof z.json>>;

/** Writes and syncs the manifest: the last file of a snapshot. */
export async function writeManifest(folder: string, manifest: SnapshotManifest): Promise<void> {
  const whole = { v: VERSION, ...manifest };
  const file = await open(join(folder, SNAPSHOT_FILES.manifest), 'wx');
  try {
    await file.writeFile(
      `${JSON.stringify({ ...whole, digest: shortDigest(canonicalJson(whole)) }, null, 1)}\n`,
    );
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The manifest of the snapshot `key`, or in words why it cannot be trusted. */
export async function readManifest(folder: string, key: string): Promise<SnapshotManifest | string> {
  const name = SNAPSHOT_FILES.manifest;
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(folder, name), 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return `${name}: not JSON`;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `${name}: missing`;
    throw error;
  }
  const { digest, ...whole } = { ...(value as Record<string, unknown>) };
  if (whole.v !== VERSION) return `${name}: version ${JSON.stringify(whole.v)} is unknown`;
  if (digest !== shortDigest(canonicalJson(whole))) return `${name}: digest differs`;
  const parsed = ManifestSchema.safeParse(whole);
  if (!parsed.success) return `${name}: not a manifest`;
  const { v: _, ...manifest } = parsed.data;
  if (!isSnapshotKey(key) || manifest.key !== key || snapshotKey(manifest.parts) !== key) {
    return `${name}: this is the snapshot ${manifest.key}`;
  }
  return manifest;
}
