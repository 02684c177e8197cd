// SPDX-License-Identifier: Apache-2.0
import { FEATURES_VERSION } from '../../../analysis/features/definition.ts';
import { windowVector } from '../../../analysis/features/window-vector.ts';
import type { ProbeSet } from '../../core/probe-counters.ts';
import { type Calm, EEVDF, type Sensor, type Window } from '../contracts.ts';
import type { Turn } from '../probe-turns.ts';
import type { Clock } from './clock.ts';
import { readGiven } from './given.ts';
import { healthOf } from './health.ts';
import { pressureBetween, readPressure } from './pressure.ts';
import { type OpenProbes, ReopeningProbes } from './probe-set.ts';
import { readPulse } from './pulse.ts';
import { type RestConfig, type Rested, RestWatch } from './rest.ts';

export interface SensorOptions {
  readonly sets: readonly ProbeSet[];
  readonly windowMs: number;
  /** For how much of each window frequent events are counted; absent: all the time. */
  readonly probeMs?: number;
  /** When nothing changes, probes rest; absent: never. */
  readonly rest?: RestConfig | undefined;
  readonly cpus: number;
  readonly open: OpenProbes;
  readonly clock: Clock;
  /** File with a number that an application lets grow with its work. */
  readonly progressFile?: string;
  /** Instead of /proc/pressure and /proc/stat. */
  readonly proc?: string;
}

/** Fewer switches of tasks than this in a window, by the kernel's own count, may well be none in the probes'. */
const SILENT_FROM = 50;

/** Nobody says that it may rest. */
const AWAKE: Calm = { policy: EEVDF, windows: 0 };

/** Windows of a fixed length by the probes; one that comes late is longer, and says so. */
export class ProbeSensor implements Sensor {
  #windowMs: number;
  #probeMs: number;
  #rest: RestConfig | undefined;
  readonly #watch: RestWatch;
  readonly #options: SensorOptions;
  readonly #sets: readonly ReopeningProbes[];
  #index = 0;
  #beganNs: number;
  #pressure: ReturnType<typeof readPressure>;
  #given: number | undefined;
  #switches: number | undefined;
  #policy: string | undefined;
  #restsSinceNs: number | undefined;

  constructor(options: SensorOptions) {
    this.#options = options;
    this.#windowMs = options.windowMs;
    this.#probeMs = options.probeMs ?? Number.POSITIVE_INFINITY;
    this.#rest = options.rest;
    this.#watch = new RestWatch(options.clock, options.cpus, () => readPulse(this.#proc('stat')));
    this.#sets = options.sets.map((set) => new ReopeningProbes(set, () => options.open(set, this.#turn())));
    this.#beganNs = options.clock.nowNs();
    this.#pressure = readPressure(this.#proc('pressure'));
    this.#given = this.#readGiven();
  }

  /** Of the windows that begin from now on; where it is another than before, probes are loaded anew, and one window says nothing. */
  pace(windowMs: number, probeMs: number, rest?: RestConfig): void {
    this.#rest = rest;
    if (windowMs === this.#windowMs && probeMs === this.#probeMs) return;
    this.#windowMs = windowMs;
    this.#probeMs = probeMs;
    for (const probes of this.#sets) probes.close();
  }

  #turn(): Turn | undefined {
    const [onMs, everyMs] = [this.#probeMs, this.#windowMs];
    return onMs < everyMs ? { onMs, everyMs } : undefined;
  }

  /** For how long probes have rested now; undefined: they count. */
  get restingMs(): number | undefined {
    return this.#restsSinceNs === undefined
      ? undefined
      : (this.#options.clock.nowNs() - this.#restsSinceNs) / 1e6;
  }

  /** What does not count now, in words. */
  faults(): string[] {
    return this.#sets.flatMap(({ fault }) => fault ?? []);
  }

  async next(signal: AbortSignal, now: () => Calm = () => AWAKE): Promise<Window> {
    const { clock, cpus } = this.#options;
    const { policy, windows } = now();
    if (policy !== this.#policy) this.#watch.forget();
    else if (windows >= 0) this.#watch.agreed();
    this.#policy = policy;
    const rested = await this.#restWhile(now, signal);
    await clock.until(this.#beganNs + this.#windowMs * 1e6, signal);
    const counters: { -readonly [K in keyof Window['counters']]: Window['counters'][K] } = {};
    for (const probes of this.#sets) {
      const counted = probes.window();
      if (counted !== undefined) counters[probes.set] = counted;
    }
    this.#loseSilent(counters);
    const beganNs = this.#beganNs;
    const nowNs = clock.nowNs();
    this.#beganNs = nowNs;
    const ns = nowNs - beganNs;
    this.#watch.closed();
    const pressure = readPressure(this.#proc('pressure'));
    const given = this.#readGiven();
    const grown = given === undefined || this.#given === undefined ? undefined : given - this.#given;
    const health = healthOf(
      counters,
      pressureBetween(this.#pressure, pressure, ns),
      ns,
      cpus,
      grown !== undefined && grown >= 0 ? grown : undefined,
    );
    this.#pressure = pressure;
    this.#given = given;
    const window = {
      index: this.#index++,
      beganNs,
      ms: ns / 1e6,
      counters,
      health,
      ...(rested === undefined ? {} : { rested }),
    };
    const vector = windowVector(counters, cpus);
    return vector.kind === 'unknown'
      ? { ...window, unknown: vector.why }
      : { ...window, vector: { features: FEATURES_VERSION, values: vector.values } };
  }

  close(): void {
    for (const probes of this.#sets) probes.close();
  }

  /** Undefined: there was no time to rest. */
  async #restWhile(now: () => Calm, signal: AbortSignal): Promise<Rested | undefined> {
    const config = this.#rest;
    if (config === undefined || config.mostMs === 0) return undefined;
    // A new pace is a reason to begin anew, too.
    const mayRest = () =>
      config === this.#rest && now().windows >= config.after && this.faults().length === 0;
    if (!mayRest()) return undefined;
    for (const probes of this.#sets) probes.rest();
    this.#restsSinceNs = this.#options.clock.nowNs();
    const rested = await this.#watch.until(config, this.#windowMs, mayRest, signal);
    this.#restsSinceNs = undefined;
    this.#switches = undefined;
    for (const probes of this.#sets) probes.wake();
    this.#pressure = readPressure(this.#proc('pressure'));
    this.#given = this.#readGiven();
    this.#beganNs = this.#options.clock.nowNs();
    return rested;
  }

  /** Probes that saw no switch where the kernel counts many are gone, although nobody said so. */
  #loseSilent(counters: Window['counters']): void {
    const seen = counters.cpu?.counters;
    if (seen === undefined) return;
    const counted = ['switch_sleep', 'switch_preempt', 'switch_from_idle'].map((name) => seen[name]);
    if (counted.some((count) => count !== 0)) {
      this.#switches = undefined;
      return;
    }
    const now = readPulse(this.#proc('stat'))?.events['context switches'];
    const before = this.#switches;
    this.#switches = now;
    if (now === undefined || before === undefined || now - before < SILENT_FROM) return;
    const probes = this.#sets.find(({ set }) => set === 'cpu');
    probes?.lose(`has counted nothing in a window with ${now - before} switches`);
    this.#switches = undefined;
  }

  #readGiven(): number | undefined {
    const { progressFile } = this.#options;
    return progressFile === undefined ? undefined : readGiven(progressFile);
  }

  #proc(name: string): string {
    return `${this.#options.proc ?? '/proc'}/${name}`;
  }
}
