// SPDX-License-Identifier: Apache-2.0
import type { Counted } from '../../analysis/features/counted.ts';
import { FEATURES } from '../../analysis/features/definition.ts';
import { scaledReadings } from '../../analysis/features/workload-vector.ts';
import type { Bench } from './bench.ts';
import { type GuessedFor, guessProfiles } from './guess.ts';
import { type Look, lookAt } from './look.ts';
import { type Move, movesOf } from './moves.ts';
import { legalProfile, type Profile } from './profile.ts';
import { steered } from './steer.ts';

export interface FitOptions {
  readonly bench: Bench;
  /** Cosine at which the search ends. */
  readonly enough: number;
  /** Most runs in the guest. */
  readonly budget: number;
  readonly mips: number;
  /** Guest seconds of each run. */
  readonly lastsSeconds: number;
  readonly say: (line: string) => void;
}

/** A profile that was tried, and how near it came. */
export interface Fit {
  readonly profile: Profile;
  readonly cosine: number;
  readonly counted: Counted;
  readonly runs: number;
}

interface Point {
  readonly profile: Profile;
  readonly scaled: readonly number[];
  readonly cosine: number;
  readonly counted: Counted;
  readonly look: Look;
  readonly lasted: number;
}

/** A move with what it did to the scaled features. */
interface Effect {
  readonly move: Move;
  readonly difference: readonly number[];
}

/**
 * A profile whose load looks like `counted`: guesses are tried, then chores are corrected, then every change is tried once, and what
 * they did is added up to the mixture that would come nearest (their effects are nearly additive); that one is tried, and
 * corrects what is believed of the effects (Broyden's update). Undefined when nothing ran. Deterministic where the bench is.
 */
export async function fitProfile(counted: Counted, options: FitOptions): Promise<Fit | undefined> {
  const target = scaledReadings(counted);
  const wanted = lookAt(counted);
  const search = new Search(target, wanted, options);
  const about: GuessedFor = { look: wanted, mips: options.mips, lastsSeconds: options.lastsSeconds };
  const guesses = guessProfiles(about);
  for (let at = 0; at < guesses.length && search.undone(); at += AT_ONCE) {
    await search.tryAll(guesses.slice(at, at + AT_ONCE), 'guesses');
  }
  await search.steer();
  for (let round = 0; round < ROUNDS && search.goesOn(); round++) await search.improve();
  const found = search.found();
  if (found !== undefined && found.cosine < options.enough)
    options.say(`  ${differences(found.counted, target)}`);
  return found;
}

/** In which features the nearest differs most from what is wanted, in words; scaled values. */
function differences(nearest: Counted, target: readonly number[]): string {
  const scaled = scaledReadings(nearest);
  const most = FEATURES.map(({ name }, at) => ({
    name,
    wanted: target[at] as number,
    is: scaled[at] as number,
  })).toSorted((a, b) => Math.abs(b.wanted - b.is) - Math.abs(a.wanted - a.is));
  const words = most.slice(0, DIFFERENCES).map(({ name, wanted, is }) => {
    return `${name} ${is.toFixed(2)} instead of ${wanted.toFixed(2)}`;
  });
  return `the nearest differs most in ${words.join(', ')} (scaled)`;
}

const DIFFERENCES = 6;

class Search {
  readonly #target: readonly number[];
  readonly #wanted: Look;
  readonly #options: FitOptions;
  #runs = 0;
  #best: Point | undefined;

  constructor(target: readonly number[], wanted: Look, options: FitOptions) {
    this.#target = target;
    this.#wanted = wanted;
    this.#options = options;
  }

  /** Whether it is not enough yet, and more may be tried. */
  undone(): boolean {
    const { enough, budget } = this.#options;
    return (this.#best?.cosine ?? 0) < enough && this.#runs < budget;
  }

  goesOn(): boolean {
    return this.#best !== undefined && this.undone();
  }

  found(): Fit | undefined {
    if (this.#best === undefined) return undefined;
    const { profile, cosine, counted } = this.#best;
    return { profile, cosine, counted, runs: this.#runs };
  }

  /** Tries them; the best of all so far is kept. */
  async tryAll(profiles: readonly Profile[], what: string): Promise<(Point | undefined)[]> {
    const room = profiles.slice(0, Math.max(0, this.#options.budget - this.#runs)).map(legalProfile);
    if (room.length === 0) return [];
    this.#runs += room.length;
    const measured = await this.#options.bench.measure(room);
    const points = measured.map((each, at): Point | undefined => {
      if (each.kind === 'none') {
        this.#options.say(`  ${what}: no result: ${each.why}`);
        return undefined;
      }
      const scaled = scaledReadings(each.counted);
      return {
        profile: room[at] as Profile,
        scaled,
        cosine: cosineOf(scaled, this.#target),
        counted: each.counted,
        look: lookAt(each.counted),
        lasted: each.makespanSeconds,
      };
    });
    for (const point of points)
      if (point !== undefined && !(point.cosine <= (this.#best?.cosine ?? -1))) this.#best = point;
    const shown = points.map((point) => point?.cosine.toFixed(3) ?? '-').join(' ');
    this.#options.say(
      `  ${what}: ${shown}; best ${this.#best?.cosine.toFixed(3) ?? '-'} after ${this.#runs} runs`,
    );
    return points;
  }

  /** Corrects the chores of the best. */
  async steer(): Promise<void> {
    if (!this.goesOn()) return;
    const { profile, look, lasted } = this.#best as Point;
    await this.tryAll(
      [steered(profile, look, this.#wanted, { lasted, lasts: this.#options.lastsSeconds })],
      'chores',
    );
  }

  /** Tries changes of the best, some at a time, and after each some the mixture of all so far that would come nearest. */
  async improve(): Promise<void> {
    const from = this.#best as Point;
    const moves = movesOf(from.profile);
    const effects: Effect[] = [];
    for (let at = 0; at < moves.length && this.goesOn(); at += AT_ONCE) {
      effects.push(...(await this.#effectsOf(moves.slice(at, at + AT_ONCE), from)));
      if (this.goesOn()) await this.#mix(effects, from);
    }
    // What the last mixture showed is believed once more.
    if (this.goesOn()) await this.#mix(effects, from);
  }

  async #effectsOf(moves: readonly Move[], from: Point): Promise<Effect[]> {
    const profiles = moves.map((move) => move.apply(from.profile, 1));
    const points = await this.tryAll(profiles, moves.map(({ name }) => name).join(', '));
    return moves.flatMap((move, at) => {
      const point = points[at];
      return point === undefined ? [] : { move, difference: minus(point.scaled, from.scaled) };
    });
  }

  /** Tries the mixture, and lets its error correct what is believed of the changes in it (Broyden's update). */
  async #mix(effects: Effect[], from: Point): Promise<void> {
    const steps = bestMixture(from.scaled, effects, this.#target);
    const used = effects.flatMap(({ move }, at) =>
      steps[at] === 0 ? [] : { move, step: steps[at] as number },
    );
    if (used.length === 0) return;
    const lasts = this.#options.lastsSeconds;
    const mixed = used.reduce((profile, { move, step }) => move.apply(profile, step), from.profile);
    const whole = steered(mixed, from.look, this.#wanted, { lasted: from.lasted, lasts });
    const what = used.map(({ move, step }) => `${move.name} ${step}`).join(', ');
    const [point] = await this.tryAll([whole], what);
    if (point === undefined) return;
    const expected = mixtureOf(from.scaled, effects, steps);
    const error = minus(point.scaled, expected);
    const square = steps.reduce((sum, step) => sum + step * step, 0);
    effects.forEach((effect, at) => {
      const share = (steps[at] as number) / square;
      effects[at] = {
        ...effect,
        difference: effect.difference.map((value, each) => value + share * (error[each] as number)),
      };
    });
  }
}

function minus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, at) => value - (b[at] as number));
}

function mixtureOf(from: readonly number[], effects: readonly Effect[], steps: readonly number[]): number[] {
  return from.map((start, dimension) =>
    effects.reduce(
      (sum, { difference }, at) => sum + (steps[at] as number) * (difference[dimension] as number),
      start,
    ),
  );
}

/** Rounds of changes, each from the best of the one before; changes that are tried between two mixtures. */
const ROUNDS = 8;
const AT_ONCE = 6;
const GRADES = [-1, -0.5, 0, 0.5, 1, 1.5];
/** What a step must bring at least, so that a mixture is of few. */
const COST = 0.002;

/** Steps of each change, found one coordinate after the other until none gains. */
export function bestMixture(
  from: readonly number[],
  effects: readonly Effect[],
  target: readonly number[],
): number[] {
  const steps = effects.map(() => 0);
  const value = (): number =>
    cosineOf(mixtureOf(from, effects, steps), target) -
    COST * steps.reduce((sum, step) => sum + Math.abs(step), 0);
  let best = value();
  for (let round = 0; round < 20; round++) {
    const before = best;
    effects.forEach(({ move }, at) => {
      const old = steps[at] as number;
      let kept = old;
      for (const grade of move.graded ? GRADES : [0, 1]) {
        steps[at] = grade;
        const now = value();
        if (now > best + 1e-9) {
          best = now;
          kept = grade;
        }
      }
      steps[at] = kept;
    });
    if (best - before < 1e-6) break;
  }
  return steps;
}

export function cosineOf(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
  const length = Math.hypot(...a) * Math.hypot(...b);
  return length > 0 ? dot / length : 0;
}
