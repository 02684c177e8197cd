// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../../harness/core/trial.ts';

/**
 * The node that each block ran on, by the fingerprints in its records, for runs of several nodes. Undefined when all ran on one, when records
 * do not say, and on engines whose results no host has a part in.
 */
export function blockHosts(
  records: readonly Pick<TrialRecord, 'block' | 'engine' | 'host'>[],
): ReadonlyMap<number, string> | undefined {
  const hosts = new Map<number, string>();
  for (const { block, engine, host } of records) {
    if (engine === 'exact' || engine === 'mock' || host.fingerprint === undefined) return undefined;
    // A block whose rest went to another node after a failure: where it began.
    if (!hosts.has(block)) hosts.set(block, host.fingerprint);
  }
  return new Set(hosts.values()).size > 1 ? hosts : undefined;
}
