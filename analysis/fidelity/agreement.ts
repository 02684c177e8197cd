// SPDX-License-Identifier: Apache-2.0
import type { EngineName } from '../../harness/core/trial.ts';
import { type BootstrapInterval, bootstrapInterval } from '../stats/bootstrap.ts';
import { kendallTauB } from '../stats/kendall.ts';
import { pickMetric } from '../tables/pick-metric.ts';
import { blockValues } from './block-values.ts';
import { type EngineRun, type FidelitySpec, type RanEngine, ranEngines } from './engine-run.ts';
import { sweepsOf } from './sweeps.ts';

/** What is put in order: each policy's ratio to the baseline on each workload, or how the baseline scales. */
export type AgreementKind = 'policies' | 'scaling';

/** How far two engines put the same things in the same order. */
export interface Agreement {
  readonly kind: AgreementKind;
  readonly engines: readonly [EngineName, EngineName];
  /** Things that both engines have a value for. */
  readonly items: number;
  /** Blocks that the interval draws from. */
  readonly blocks: number;
  /** Kendall's tau-b; absent when there are fewer than two things, or one engine makes no difference between them. */
  readonly tau?: number;
  readonly interval?: BootstrapInterval;
}

/** One thing that is put in order: a logarithm for each block, greater is worse. */
type Item = ReadonlyMap<number, number>;
type Items = ReadonlyMap<string, Item>;

/** Fixed, so that the same records give the same interval. */
const SEED = 20_261_122;

/**
 * Kendall's tau-b between each two engines that ran, with a bootstrap interval over blocks. A block is drawn for both engines at
 * once, for it has the same seed on both.
 */
export function agreements(spec: FidelitySpec, runs: readonly EngineRun[]): Agreement[] {
  const ran = ranEngines(runs);
  return (['policies', 'scaling'] as const).flatMap((kind) => {
    const items = ran.map((run) => (kind === 'policies' ? ratioItems(spec, run) : scalingItems(spec, run)));
    return ran.flatMap((one, at) =>
      ran.slice(at + 1).map((other, further) => {
        const pair = [items[at] as Items, items[at + 1 + further] as Items] as const;
        return { kind, engines: [one.engine, other.engine] as const, ...agreementOf(...pair) };
      }),
    );
  });
}

function agreementOf(one: Items, other: Items): Pick<Agreement, 'items' | 'blocks' | 'tau' | 'interval'> {
  const shared = [...one.keys()].filter((key) => other.has(key));
  const pairs = shared.map((key) => [one.get(key) as Item, other.get(key) as Item] as const);
  const blocks = [...new Set(pairs.flatMap(([a, b]) => [...a.keys(), ...b.keys()]))].sort((a, b) => a - b);
  const tauOf = (drawn: readonly number[]): number | undefined => {
    const means = pairs.flatMap(([a, b]) => {
      const both = [meanOver(a, drawn), meanOver(b, drawn)] as const;
      return both[0] === undefined || both[1] === undefined ? [] : [[both[0], both[1]] as const];
    });
    return kendallTauB(
      means.map(([mean]) => mean),
      means.map(([, mean]) => mean),
    );
  };
  const tau = tauOf(blocks);
  const interval = tau === undefined ? undefined : bootstrapInterval(blocks, tauOf, SEED);
  return {
    items: shared.length,
    blocks: blocks.length,
    ...(tau === undefined ? {} : { tau }),
    ...(interval === undefined ? {} : { interval }),
  };
}

/** Mean over the drawn blocks that have a value; a block drawn twice counts twice. */
function meanOver(item: Item, drawn: readonly number[]): number | undefined {
  const values = drawn.flatMap((block) => item.get(block) ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function ratioItems(spec: FidelitySpec, run: RanEngine): Items {
  const items = new Map<string, Item>();
  for (const { workload, variant } of spec.workloads) {
    const baseline = blockValues(run, workload, variant, spec.baseline);
    const sign = worseSign(run, workload);
    for (const policy of spec.policies.filter((id) => id !== spec.baseline)) {
      const item = logRatios(blockValues(run, workload, variant, policy), baseline, sign);
      if (item.size > 0) items.set(`${workload} ${variant} ${policy}`, item);
    }
  }
  return items;
}

/** The baseline at each step of a sweep but the first, over its value at the first. */
function scalingItems(spec: FidelitySpec, run: RanEngine): Items {
  const items = new Map<string, Item>();
  for (const { workload, steps } of sweepsOf(spec.workloads)) {
    const [first, ...others] = steps.map(({ variant }) => ({
      variant,
      values: blockValues(run, workload, variant, spec.baseline),
    }));
    const sign = worseSign(run, workload);
    for (const { variant, values } of others) {
      const item = logRatios(values, first?.values ?? new Map(), sign);
      if (item.size > 0) items.set(`${workload} ${variant}`, item);
    }
  }
  return items;
}

function logRatios(
  values: ReadonlyMap<number, number>,
  bases: ReadonlyMap<number, number>,
  sign: number,
): Item {
  return new Map(
    [...values].flatMap(([block, value]) => {
      const base = bases.get(block);
      return base !== undefined && value > 0 && base > 0
        ? [[block, sign * Math.log(value / base)] as const]
        : [];
    }),
  );
}

/** 1 where a greater value is worse, else -1: so that "worse" is the same end of the order for every workload. */
function worseSign(run: RanEngine, workload: string): 1 | -1 {
  const own = run.records.filter((record) => record.workload === workload);
  return pickMetric(own, undefined)?.direction === 'higher' ? -1 : 1;
}
