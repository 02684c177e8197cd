// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { type Answer, askMap, type RankedPolicy } from '../../../analysis/policy-map/choose/ask.ts';
import { readCalibration } from '../../../analysis/policy-map/choose/calibration.ts';
import type { Machine, Objective } from '../../../analysis/policy-map/evidence.ts';
import { readMap } from '../../../analysis/policy-map/open-map.ts';
import type { PolicyMapReader } from '../../../analysis/policy-map/policy-map.ts';
import { unitVector } from '../../../analysis/policy-map/vector.ts';
import { EEVDF, type Selection, type Selector, type SelectorState, type Window } from '../contracts.ts';

export interface MapSelectorOptions {
  /** File, or `postgres://...`. */
  readonly map: string;
  readonly machine: Machine;
  readonly objective: Objective;
  /** Whether a policy can be switched to on this machine. */
  readonly available: (policy: string) => boolean;
  /** A policy that costs at most this much more than the best, as a share, is kept when it is active. */
  readonly prefer: number;
  /**
   * To stay needs less evidence than to switch: where no policy is surely better than EEVDF, the active one is kept when it is expected to cost
   * no more, and at most this share more at the upper end of its interval.
   */
  readonly stay: number;
}

/** Windows that pass between two attempts to open a map that could not be read. */
const REST = 5;

/** Asks a policy map for each window. Whatever is wrong with the map is an answer: EEVDF, and why. */
export class MapSelector implements Selector {
  readonly #options: MapSelectorOptions;
  #map: PolicyMapReader | undefined;
  #file: string | undefined;
  #rest = 0;
  /** What is wrong with the map now. */
  fault: string | undefined;

  private constructor(options: MapSelectorOptions) {
    this.#options = options;
  }

  /** Opens the map and reads from it once; throws when that fails. */
  static async open(options: MapSelectorOptions): Promise<MapSelector> {
    const selector = new MapSelector(options);
    await selector.#reopen();
    return selector;
  }

  /** As `open`, for a daemon that comes up while its map is broken: it abstains until the map can be read. */
  static async openAnyway(options: MapSelectorOptions): Promise<MapSelector> {
    const selector = new MapSelector(options);
    await selector.#reopen().catch((error: unknown) => selector.#lose(error));
    return selector;
  }

  get features(): string | undefined {
    return this.#map?.kind.features;
  }

  async select(window: Window, state: SelectorState): Promise<Selection> {
    if (window.vector === undefined) {
      return alone('unknown-window', window.unknown ?? 'the window has no vector');
    }
    try {
      if (this.#map !== undefined && this.#replaced()) await this.#reopen();
      else if (this.#map === undefined) {
        if (this.#rest-- > 0) return alone('map-unreadable', this.fault ?? 'the map is closed');
        await this.#reopen();
      }
      return await this.#ask(this.#map as PolicyMapReader, window.vector, state);
    } catch (error) {
      await this.#lose(error);
      return alone('map-unreadable', this.fault as string);
    }
  }

  async close(): Promise<void> {
    const map = this.#map;
    this.#map = undefined;
    await map?.close();
  }

  async #ask(
    map: PolicyMapReader,
    { features, values }: NonNullable<Window['vector']>,
    state: SelectorState,
  ): Promise<Selection> {
    const { machine, objective } = this.#options;
    const dimensions = features === map.kind.features ? map.kind.dimensions : values.length;
    const vector = unitVector(values, dimensions, 'the window');
    const answer = await askMap(map, { vector, features, machine, objective });
    const calibration = await readCalibration(map, machine, objective);
    const [nearest] = answer.neighbours;
    // Without a calibration it is the machine that is strange, and no window of it would teach anything.
    const farthest = features === map.kind.features ? calibration?.farthest : undefined;
    const novel =
      farthest !== undefined && answer.abstained && (nearest === undefined || nearest.distance > farthest);
    return { ...this.#choose(answer, state), novel };
  }

  #choose(answer: Answer, state: SelectorState): Omit<Selection, 'novel'> {
    const neighbours = answer.neighbours.map(({ workload, variant, distance }) => ({
      workload,
      variant,
      distance,
    }));
    const kept = this.#kept(answer, state);
    if (kept !== undefined && answer.abstained) return { ...kept, neighbours };
    if (answer.abstained)
      return { policy: EEVDF, rule: 'abstain', why: answer.why, neighbours, abstained: true };
    const candidates = answer.ranking.filter(({ against }) => against === undefined);
    const usable = candidates.filter(
      ({ policy }) => this.#options.available(policy) && !state.excluded.has(policy),
    );
    const [first] = usable;
    if (first === undefined && kept !== undefined) return { ...kept, neighbours };
    if (first === undefined) {
      const names = candidates.map(({ policy }) => policy).join(', ');
      const why = `the map recommends ${names}, which cannot be used here now`;
      return { policy: EEVDF, rule: 'not-available', why, neighbours, abstained: true };
    }
    const current = usable.find(({ policy }) => policy === state.policy);
    const keep = current !== undefined && current.ratio <= first.ratio * (1 + this.#options.prefer);
    const best = keep ? current : first;
    const why =
      best.policy === answer.recommend
        ? answer.why
        : keep
          ? `as good as ${first.policy} to within ${(100 * this.#options.prefer).toFixed(0)} %, and active`
          : `the best that can be used here now; the map would recommend ${answer.recommend}`;
    return {
      policy: best.policy,
      rule: 'map',
      why,
      neighbours,
      interval: intervalOf(best),
      abstained: false,
    };
  }

  /** The active policy, where it is no worse as far as the map knows: it need not be left. */
  #kept(
    { ranking, known }: Answer,
    { policy, excluded }: SelectorState,
  ): Omit<Selection, 'novel' | 'neighbours'> | undefined {
    const current = ranking.find((each) => each.policy === policy);
    if (!known || current === undefined || excluded.has(policy) || !this.#options.available(policy))
      return undefined;
    const { ratio, high, against } = current;
    if (against === 'fails' || ratio > 1 || high > 1 + this.#options.stay) return undefined;
    const change = (cost: number) => `${(100 * (cost - 1)).toFixed(1)} %`;
    const why = `nothing is surely better than EEVDF; ${policy} is active, expected to cost ${change(ratio)}, and at most ${change(high)}`;
    return { policy, rule: 'map', why, interval: intervalOf(current), abstained: false };
  }

  async #reopen(): Promise<void> {
    const { map: source } = this.#options;
    // Not by memory mapping: a map that is truncated is a fault to be told, and must not end the daemon.
    const map = await readMap(source, { mapped: false });
    try {
      // A map that opens may still be broken inside.
      await map.machines();
    } catch (error) {
      await map.close();
      throw error;
    }
    const old = this.#map;
    this.#map = map;
    this.#file = identityOf(source);
    this.fault = undefined;
    await old?.close();
  }

  /** Whether another file has taken the place of the one that is open, or it was written: what is in memory may not be in the file any more. */
  #replaced(): boolean {
    const now = identityOf(this.#options.map);
    return now !== undefined && now !== this.#file;
  }

  async #lose(error: unknown): Promise<void> {
    this.fault = error instanceof Error ? (error.message.split('\n')[0] as string) : String(error);
    this.#rest = REST;
    await this.close().catch(() => undefined);
  }
}

function alone(rule: Selection['rule'], why: string): Selection {
  return { policy: EEVDF, rule, why, neighbours: [], abstained: true, novel: false };
}

function intervalOf({ ratio, low, high }: RankedPolicy): NonNullable<Selection['interval']> {
  return { ratio, low, high };
}

/** Which file it is, and when it was written; undefined for what is no file. */
function identityOf(source: string): string | undefined {
  try {
    const { dev, ino, size, mtimeMs } = statSync(source);
    return `${dev}:${ino}:${size}:${mtimeMs}`;
  } catch {
    return undefined;
  }
}
