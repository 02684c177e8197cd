// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Plan } from './plan.ts';

/** A part of a plan for one of several hosts: `index` of `of`, from 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** What one shard runs. Trials keep their numbers, so that shards put together are the plan. */
export interface ShardPlan extends Plan {
  /** Digest of the whole plan. */
  readonly digest: string;
  readonly shard: Shard;
}

/** More shards than any batch system takes. */
const MOST = 1_000_000;

/** Reads `3/8`; undefined when `text` says no such thing. */
export function parseShard(text: string): Shard | undefined {
  const [, index, of] = (/^([1-9]\d{0,6})\/([1-9]\d{0,6})$/.exec(text) ?? []).map(Number);
  return index === undefined || of === undefined || index > of || of > MOST ? undefined : { index, of };
}

/** `3/8`. */
export function formatShard({ index, of }: Shard): string {
  return `${index}/${of}`;
}

/** Whether a block is of a shard: every `of`th one, from the `index`th. */
export function inShard(block: number, { index, of }: Shard): boolean {
  return block % of === index - 1;
}

/** The trials of a plan's blocks that are a shard's. Blocks are never torn: what is compared runs on one host. */
export function shardOf(plan: Plan, shard: Shard): ShardPlan {
  const trials = plan.trials.filter(({ block }) => inShard(block, shard));
  if (trials.length > 0) return { digest: plan.digest, shard, trials };
  const blocks = (plan.trials.at(-1)?.block ?? -1) + 1;
  throw new PmvxError(ExitCode.usage, {
    what: `shard ${formatShard(shard)} is empty: the spec has ${blocks} block${blocks === 1 ? '' : 's'}`,
    next: `Blocks are never torn: use at most ${blocks} shard${blocks === 1 ? '' : 's'}, or raise seeds.count.`,
  });
}
