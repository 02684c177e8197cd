// SPDX-License-Identifier: Apache-2.0
import { chord } from '../../../analysis/policy-map/vector.ts';
import type { Health } from '../contracts.ts';
import type { HarmConfig } from './config.ts';
import type { Seen, Watch } from './state.ts';

/** The watch after one more window; undefined when it was long ago. A window of another load is skipped: a policy may well cause that itself. */
export function watchOn(watch: Watch, seen: Seen, config: HarmConfig): Watch | undefined {
  const windows = watch.windows + 1;
  if (windows > config.watch) return undefined;
  if (windows <= config.settle || isOtherLoad(watch, seen, config)) return { ...watch, windows };
  return withWindow({ ...watch, windows }, seen, config);
}

/** What stands once a policy is not watched closely any more: the same comparison, with more allowed. */
export function floorOf({ from, before, vector, predicted }: Watch): Watch {
  return { from, before, vector, predicted, after: [], windows: 0 };
}

/** The floor after one more window: of the same load, or one in which more than before is waited for. */
export function floorOn(floor: Watch, seen: Seen, config: HarmConfig): Watch {
  const was = median(floor.before, ({ pressure }) => pressure.cpu);
  const { cpu } = seen.health.pressure;
  const isPressed = was !== undefined && cpu !== undefined && cpu - was >= config.pressure;
  const isSame = seen.vector !== undefined && !isOtherLoad(floor, seen, config);
  return isPressed || isSame ? withWindow(floor, seen, config) : floor;
}

/** Limits that no policy may pass, whatever it was chosen for, as long as it is in effect. */
export function floorLimits(config: HarmConfig): HarmConfig {
  const { tail, mean, pressure } = config;
  return {
    ...config,
    progress: Math.max(1, config.progress),
    tail: 4 * tail,
    mean: 2 * mean,
    pressure: Math.min(0.9, 2 * pressure),
  };
}

/** What got worse than the map predicted, in words; undefined for nothing, or too little to tell. */
export function harmOf(watch: Watch, config: HarmConfig): string | undefined {
  const { before, after } = watch;
  if (after.length < config.windows || before.length === 0) return undefined;
  const { work, waiting } = limitsOf(watch, config);
  return vanished(before, after) ?? lostWork(watch, work) ?? longerWaiting(watch, waiting);
}

/**
 * A policy is judged by what the map chose it for: one that trades waiting for work by the work, one that trades work for short tails by the
 * waiting, one that saves energy by neither; of what it trades it may not lose more than the floor allows.
 */
function limitsOf(
  { before }: Watch,
  config: HarmConfig,
): { readonly work: HarmConfig; readonly waiting: HarmConfig } {
  const { objective } = config;
  const least = floorLimits(config);
  // What an application says of itself is the work; what is counted instead may be busy waiting.
  const isTold = before.every(({ progressUnit }) => progressUnit === 'given');
  const forWork = (objective === 'primary' || objective === 'time') && isTold;
  return {
    work: objective === 'tail' || objective === 'energy' ? least : config,
    waiting: forWork || objective === 'energy' ? least : config,
  };
}

function lostWork({ before, after, predicted }: Watch, { progress }: HarmConfig): string | undefined {
  const gained = progressRatio(before, after);
  // A policy that the map says may cost more than what was before is given that much.
  if (gained === undefined || 1 / gained <= Math.max(1, predicted) * (1 + progress)) return undefined;
  return `progress fell to ${percent(gained)} of what it was`;
}

function longerWaiting({ before, after, predicted }: Watch, config: HarmConfig): string | undefined {
  const gained = progressRatio(before, after);
  if (gained !== undefined && gained > 1 + config.progress) return undefined;
  const allowed = Math.max(1, predicted);
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

/** A sign that was there before and is not any more: where nothing gets on, nothing tells of it. */
function vanished(before: readonly Health[], after: readonly Health[]): string | undefined {
  const unit = unitOf(before);
  const isTold = (healths: readonly Health[]) => healths.some(({ progressUnit }) => progressUnit === unit);
  const isReplaced = unit !== 'given' && after.some(({ progress }) => progress !== undefined);
  const had = median(before, ({ progress }) => progress) ?? 0;
  if (unit !== undefined && had > 0 && !isTold(after) && !isReplaced)
    return `progress (${unit}) is not told any more`;
  const waits = ({ waitMeanUs }: Health) => waitMeanUs !== undefined;
  if (before.every(waits) && !after.some(waits))
    return 'no task that waits for a CPU is seen to get one any more';
  return undefined;
}

function isOtherLoad(watch: Watch, seen: Seen, { sameLoad }: HarmConfig): boolean {
  if (watch.vector === undefined || seen.vector === undefined) return false;
  return chord(Float32Array.from(watch.vector), Float32Array.from(seen.vector)) > sameLoad;
}

function withWindow(watch: Watch, seen: Seen, config: HarmConfig): Watch {
  return { ...watch, after: [...watch.after, seen.health].slice(-config.windows) };
}

/** The unit of progress that all of them have. */
function unitOf(healths: readonly Health[]): Health['progressUnit'] {
  const units = new Set(healths.map(({ progressUnit }) => progressUnit));
  return units.size === 1 ? [...units][0] : undefined;
}

/** 0 where all progress ended; undefined where it cannot be compared: most windows do not tell of it in the unit of before. */
function progressRatio(before: readonly Health[], after: readonly Health[]): number | undefined {
  const unit = unitOf(before);
  const told = after.filter(({ progressUnit }) => progressUnit === unit);
  if (unit === undefined || 2 * told.length <= after.length) return undefined;
  return ratio(before, told, ({ progress }) => progress);
}

function ratio(
  before: readonly Health[],
  after: readonly Health[],
  of: (health: Health) => number | undefined,
): number | undefined {
  const [was, is] = [median(before, of), median(after, of)];
  return was === undefined || is === undefined || !(was > 0) ? undefined : is / was;
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
