// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { type ListedSnapshot, listSnapshots, pruneSnapshots } from '../lab/snapshots/list.ts';
import { formatBytes, parseBytes } from '../lab/snapshots/quota.ts';
import type { Command } from './context.ts';
import { alignedTable } from './table.ts';

/** `pmvx snapshots list`: what is kept of machines at their fork points, and what it takes on disk. */
export const snapshotsListCommand: Command<{ readonly json?: boolean }> = async ({ json }, context) => {
  const listed = await listSnapshots(cacheFolder(context.env));
  if (json) context.write(JSON.stringify(listed.map(forPrograms), null, 2));
  else if (listed.length === 0) context.write('no snapshots: a run with `counterfactual: fork` makes them');
  else {
    for (const line of alignedTable(listed.map(row))) context.write(line);
    context.write(`${listed.length} snapshots, ${formatBytes(sum(listed))}`);
  }
  return ExitCode.ok;
};

/** `pmvx snapshots prune [--to SIZE]`: removes those that nobody uses, all or down to a size, the least recently used first. */
export const snapshotsPruneCommand: Command<{ readonly to?: string }> = async ({ to }, context) => {
  const keepBytes = to === undefined ? 0 : sizeOf(to);
  const { removed, kept } = await pruneSnapshots(cacheFolder(context.env), keepBytes);
  context.write(`removed ${removed.length} snapshots, ${formatBytes(sum(removed))}`);
  if (kept.length > 0) {
    const why = sum(kept) > keepBytes ? ': they are in use' : '';
    context.write(`kept ${kept.length} snapshots, ${formatBytes(sum(kept))}${why}`);
  }
  return ExitCode.ok;
};

function row(
  each: ListedSnapshot,
): Record<'snapshot' | 'size' | 'used' | 'state' | 'image' | 'parent', string> {
  return {
    snapshot: each.key,
    size: formatBytes(each.bytes),
    used: each.usedAt === 0 ? '' : new Date(each.usedAt).toISOString().slice(0, 19),
    state: each.inUse ? 'in use' : each.manifest === undefined ? 'damaged' : 'kept',
    image: each.manifest?.parts.image ?? '',
    parent: each.manifest?.parts.parent ?? '',
  };
}

function forPrograms({ key, bytes, usedAt, inUse, manifest }: ListedSnapshot): unknown {
  return { key, bytes, usedAt: new Date(usedAt).toISOString(), inUse, manifest: manifest ?? null };
}

function sum(snapshots: readonly { readonly bytes: number }[]): number {
  return snapshots.reduce((total, { bytes }) => total + bytes, 0);
}

function sizeOf(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined) return bytes;
  throw new PmvxError(ExitCode.usage, {
    where: '--to',
    what: `${JSON.stringify(text)} is not a size`,
    next: 'Write a size such as 512MiB or 4GiB',
  });
}
