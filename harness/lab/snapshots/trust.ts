// SPDX-License-Identifier: Apache-2.0
import { readManifest, type SnapshotManifest } from './manifest.ts';
import { fingerprint, verify } from './verify.ts';

/** Which snapshots this process has found whole, and how their files looked then. */
export interface Trust {
  /**
   * The manifest of the snapshot `key` at `path`, or in words what is wrong with it. Digests are computed the first time, and
   * again when a file is not the one that was found whole.
   */
  check(path: string, key: string): Promise<SnapshotManifest | string>;
  /** Takes a snapshot whose digests this process has just computed for whole. */
  accept(path: string, manifest: SnapshotManifest): Promise<void>;
}

export function createTrust(): Trust {
  const whole = new Map<string, string>();
  return {
    async check(path, key) {
      const manifest = await readManifest(path, key);
      if (typeof manifest === 'string') return manifest;
      const now = await fingerprint(path, manifest);
      if ('fault' in now) return now.fault;
      if (now.print === whole.get(key)) return manifest;
      const verified = await verify(path, manifest);
      if ('fault' in verified) return verified.fault;
      whole.set(key, verified.print);
      return manifest;
    },
    async accept(path, manifest) {
      const now = await fingerprint(path, manifest);
      if ('print' in now) whole.set(manifest.key, now.print);
    },
  };
}
