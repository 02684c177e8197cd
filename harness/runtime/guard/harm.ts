// SPDX-License-Identifier: Apache-2.0
import { chord } from '../../../analysis/policy-map/vector.ts';
import type { Health } from '../contracts.ts';
import type { HarmConfig } from './config.ts';
import type { Seen, Watch } from './state.ts';

/** The watch after one more window; undefined when nothing can be told any more: it was long ago, or the load is another one. */
export function watchOn(watch: Watch, seen: Seen, config: HarmConfig): Watch | undefined {
  const windows = watch.windows + 1;
  if (windows > config.watch) return undefined;
  if (watch.vector !== undefined && seen.vector !== undefined) {
    if (chord(Float32Array.from(watch.vector), Float32Array.from(seen.vector)) > config.sameLoad)
      return undefined;
  }
  if (windows <= config.settle) return { ...watch, windows };
  return { ...watch, windows, after: [...watch.after, seen.health].slice(-config.windows) };
}

/** What got worse than the map predicted, in words; undefined for nothing, or too little to tell. */
export function harmOf(watch: Watch, config: HarmConfig): string | undefined {
  const { before, after } = watch;
  if (after.length < config.windows || before.length === 0) return undefined;
  const gained = progressRatio(before, after);
  // A policy that the map says may cost more than what was before is given that much.
  const allowed = Math.max(1, watch.predicted);
  if (gained !== undefined && 1 / gained > allowed * (1 + config.progress))
    return `progress fell to ${percent(gained)} of what it was`;
  if (gained !== undefined && gained > 1 + config.progress) return undefined;
  const tail = ratio(before, after, ({ waitP99Us }) => waitP99Us);
  const mean = ratio(before, after, ({ waitMeanUs }) => waitMeanUs);
  const longer = mean !== undefined && mean >= allowed * config.mean;
  if (tail !== undefined && tail >= allowed * config.tail && longer)
    return `the 99th percentile of waiting for a CPU grew ${tail.toFixed(1)} times, the mean ${mean.toFixed(1)} times`;
  const [was, is] = [before, after].map((healths) => median(healths, ({ pressure }) => pressure.cpu));
  if (was !== undefined && is !== undefined && is - was >= config.pressure && longer)
    return `time under CPU pressure grew from ${percent(was)} to ${percent(is)}, the mean wait ${mean.toFixed(1)} times`;
  return undefined;
}

function progressRatio(before: readonly Health[], after: readonly Health[]): number | undefined {
  const units = new Set([...before, ...after].map(({ progressUnit }) => progressUnit));
  return units.size === 1 ? ratio(before, after, ({ progress }) => progress) : undefined;
}

function ratio(
  before: readonly Health[],
  after: readonly Health[],
  of: (health: Health) => number | undefined,
): number | undefined {
  const [was, is] = [median(before, of), median(after, of)];
  return was === undefined || is === undefined || !(was > 0) || !(is > 0) ? undefined : is / was;
}

function median(healths: readonly Health[], of: (health: Health) => number | undefined): number | undefined {
  const values = healths
    .map(of)
    .filter((value) => value !== undefined)
    .sort((a, b) => a - b);
  return values[values.length >> 1];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
