// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { dryActuator } from '../actuate/dry-actuator.ts';
import { KernelActuator } from '../actuate/kernel-actuator.ts';
import { Leftovers } from '../actuate/leftovers.ts';
import { type PolicyPlaces, readPolicies } from '../actuate/load-policies.ts';
import type { Actuator } from '../contracts.ts';
import { keepGuard, recallGuard } from '../guard/persist.ts';
import { fullDisk } from '../journal/full-disk.ts';
import { Journal } from '../journal/journal.ts';
import { MapSelector } from '../select/map-selector.ts';
import { UnknownQueue } from '../select/queue.ts';
import { onlineCpus, thisMachine } from '../sense/machine.ts';
import { ProbeSensor } from '../sense/sensor.ts';
import { type Config, readConfig } from './config.ts';
import { openControl } from './control-server.ts';
import { Daemon } from './daemon.ts';
import { Latch } from './latch.ts';
import { takeLock } from './lock.ts';
import { controlMethods } from './methods.ts';
import { openMetrics } from './metrics.ts';
import { openMetricsPlace } from './metrics-server.ts';
import { defaultPlaces } from './places.ts';
import { readStateFile, writeStateFile } from './state-file.ts';
import { statusOf } from './status.ts';
import { Tally } from './tally.ts';
import { REAL_WORLD, type World } from './world.ts';

export interface StartOptions {
  /** Each wins over the configuration. */
  readonly map?: string;
  readonly journal?: string;
  readonly socket?: string;
  readonly metrics?: string;
  readonly state?: string;
  readonly config?: string;
  readonly dry: boolean;
  /** Where policies, objects and probes are when the configuration does not say. */
  readonly places: { readonly policies: string; readonly objects: string; readonly probes: string };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a person who started it should see. */
  readonly say: (line: string) => void;
  /** A reload was asked for (SIGHUP), or the kill switch (SIGUSR1). */
  readonly onSignals: (handlers: { reload: () => void; kill: () => void }) => void;
}

/** Runs the daemon until the signal. Whatever it lacks is one clear error before anything is touched. */
export async function runDaemon(
  options: StartOptions,
  signal: AbortSignal,
  world: World = REAL_WORLD,
): Promise<void> {
  const { dry, env, say } = options;
  const { clock } = world;
  let config = await readConfig(options.config);
  const map = options.map ?? config.map;
  if (map === undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: '--map',
      what: 'no map of policies is given',
      next: 'pmvx learn RUN --map FILE makes one',
    });
  }
  world.requireDaemon();
  const defaults = defaultPlaces(env);
  const folder = options.state ?? config.places.state ?? defaults.state;
  makeFolder(folder);
  const socketPath = options.socket ?? config.socket ?? defaults.socket;
  const locks = [takeLock(join(folder, 'lock'))];
  try {
    if (!dry) locks.push(takeLock(defaults.lock));
    const cpus = onlineCpus();
    const machine = thisMachine(definedOf(config.machine));
    const life = randomBytes(4).toString('hex');
    const journalPath = options.journal ?? config.journal ?? join(folder, 'journal.jsonl');
    const journal = Journal.open({
      path: journalPath,
      clock,
      life,
      mostBytes: config.journalBytes,
      keep: config.journalFiles,
    });
    const leftovers = Leftovers.read(join(folder, 'leftovers.json'));
    const cleared = dry ? { done: [], faults: [] } : leftovers.clear();
    const { actuator, lacking, close } = await actuatorFor(config, options, leftovers, world);
    const selectorOptions = (now: Config) => ({
      map,
      machine,
      objective: now.objective,
      prefer: now.prefer,
      stay: now.stay,
      available: (policy: string) => actuator.policies.has(policy),
    });
    const guardFile = join(folder, 'guard.json');
    // A daemon that has worked before comes up again whatever has become of its map: somebody must watch, and tell.
    const open = existsSync(guardFile) ? MapSelector.openAnyway : MapSelector.open;
    let selector = await open(selectorOptions(config));
    const probes = config.places.probes ?? options.places.probes;
    const sensor = new ProbeSensor({
      sets: config.probes,
      windowMs: config.windowMs,
      probeMs: config.probeMs,
      rest: config.rest,
      cpus,
      clock,
      open: world.openProbes(probes),
      ...(config.progressFile === undefined ? {} : { progressFile: config.progressFile }),
    });
    const queuePath = config.queue ?? join(folder, 'queue.jsonl');
    const queue = queuePath === false ? undefined : new UnknownQueue(queuePath, machine, clock);
    const boot = bootId();
    const tally = new Tally();
    let metricsFault: string | undefined;
    const daemon = new Daemon({
      sensor,
      selector,
      actuator,
      journal,
      latch: new Latch(join(folder, 'killed')),
      clock,
      queue,
      guard: config.guard,
      kernel: release(),
      cpus,
      dry,
      recalled: recallGuard(readStateFile(guardFile), boot, clock.nowNs()),
      keep: (state) => writeStateFile(guardFile, keepGuard(state, boot, clock.nowNs())),
      saw: (line) => {
        tally.see(line);
        if (line.kind === 'decision') void updateMetrics();
      },
    });
    const status = () =>
      statusOf({
        daemon,
        actuator,
        clock,
        life,
        dry,
        restingMs: () => sensor.restingMs,
        map: () => ({
          source: map,
          ...(selector.features === undefined ? {} : { features: selector.features }),
          ...(selector.fault === undefined ? {} : { fault: selector.fault }),
        }),
        faults: () =>
          [
            ...sensor.faults(),
            ...cleared.faults,
            selector.fault,
            journal.fault ?? fullDisk(journalPath),
            daemon.keepFault,
            queue?.fault,
            metricsFault,
          ].filter((fault) => fault !== undefined),
      });
    const reload = async () => {
      // All of the new is made before any of the old is given up.
      const next = await readConfig(options.config);
      const opened = await MapSelector.open({
        ...selectorOptions(next),
        map: options.map ?? next.map ?? map,
      });
      await daemon.serial(async () => {
        const old = selector;
        selector = opened;
        daemon.selector = opened;
        daemon.guard = next.guard;
        sensor.pace(next.windowMs, next.probeMs, next.rest);
        config = next;
        daemon.note('reloaded', `map ${options.map ?? next.map ?? map}`);
        await old.close();
      });
    };
    const metricsPlace = options.metrics ?? config.metrics;
    const metrics =
      metricsPlace === undefined
        ? undefined
        : await openMetricsPlace(metricsPlace, async () => openMetrics(await status(), tally.counts()));
    const updateMetrics = async () => {
      try {
        await metrics?.update();
        metricsFault = undefined;
      } catch (error) {
        metricsFault = `metrics cannot be written: ${(error as Error).message}`;
      }
    };
    const methods = controlMethods({
      daemon,
      clock,
      policies: new Set(actuator.policies.keys()),
      recent: () => journal.recent,
      canLog: () => journal.fault === undefined,
      status,
      reload,
      unguarded: () => config.unguarded,
    });
    const control = await openControl(socketPath, methods);
    options.onSignals({
      reload: () =>
        void reload().catch((error: Error) => {
          daemon.note('reload-refused', error.message);
          say(`pmvx: not reloaded: ${error.message}`);
        }),
      kill: () => {
        daemon.hurry('the kill switch was latched');
        void daemon.serial(() => daemon.kill('SIGUSR1'));
      },
    });
    const kernel = await actuator.current();
    const usable = [...actuator.policies.keys()];
    daemon.note(
      'started',
      `${dry ? 'dry run, ' : ''}map ${map}, sched_ext ${kernel.state}, policies ${usable.join(', ')}`,
    );
    for (const done of cleared.done) daemon.note('restored', done);
    say(
      `pmvx autotune ${dry ? '(dry run) ' : ''}works: ${usable.length} policies, windows of ${config.windowMs} ms, socket ${socketPath}`,
    );
    if (lacking.size > 0) say(`${lacking.size} policies cannot be used here: ${summaryOf(lacking)}`);
    try {
      await daemon.run(signal);
    } finally {
      control.close();
      metrics?.close();
      sensor.close();
      close();
      await selector.close();
      journal.close();
    }
  } finally {
    for (const lock of locks) lock.release();
  }
}

async function actuatorFor(
  config: Config,
  { dry, places }: StartOptions,
  leftovers: Leftovers,
  world: World,
): Promise<{ actuator: Actuator; lacking: ReadonlyMap<string, string>; close: () => void }> {
  const where: PolicyPlaces = {
    policies: config.places.policies ?? places.policies,
    objects: config.places.objects ?? places.objects,
    programs: config.places.programs,
  };
  const policies = await readPolicies(where.policies, config.policies);
  const readState = () => world.readState();
  if (dry) return { actuator: dryActuator(policies, readState), lacking: new Map(), close: () => undefined };
  const { holders, lacking } = world.holders(policies, where, {
    saveSettings: (settings) => leftovers.saveSettings(settings),
    childStarted: (pid) => leftovers.childStarted(pid),
    childEnded: (pid) => leftovers.childEnded(pid),
    watchdogMs: config.watchdogMs,
    keepLoaded: config.keepLoaded,
  });
  if (holders.size === 0) {
    throw new PmvxError(ExitCode.environment, {
      where: 'pmvx autotune',
      what: `no policy can be used on this machine: ${summaryOf(lacking)}`,
      next: 'Use a kernel with sched_ext, or --dry-run to see what would be decided',
    });
  }
  // One that cannot be loaded is told of when it is switched to.
  for (const holder of holders.values()) await holder.warm?.().catch(() => undefined);
  const log = world.openLog();
  const hurry = config.expedite ? world.expediter((passing) => leftovers.savePassing(passing)) : undefined;
  const actuator = new KernelActuator({
    holders,
    readState,
    exits: () => log.exits(),
    clock: world.clock,
    deadlineMs: config.deadlineMs,
    prepareMs: config.prepareMs,
    ...(hurry === undefined ? {} : { hurry }),
  });
  return { actuator, lacking, close: () => log.close() };
}

/** The reasons, each once, with how many policies have it. */
function summaryOf(lacking: ReadonlyMap<string, string>): string {
  const reasons = [...Map.groupBy(lacking, ([, why]) => why)];
  return reasons
    .map(([why, all]) => `${why} (${all.length === 1 ? all[0]?.[0] : `${all.length} policies`})`)
    .join('; ');
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
  } catch (error) {
    throw new PmvxError(
      ExitCode.environment,
      {
        where: folder,
        what: `the folder of what is kept cannot be made: ${(error as NodeJS.ErrnoException).code}`,
        next: `Make ${dirname(folder)} writable, or give another with --state`,
      },
      { cause: error },
    );
  }
}

/** Names this life of the kernel: its monotonic clock begins anew in the next. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

function definedOf<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
