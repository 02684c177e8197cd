// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { dryActuator } from '../actuate/dry-actuator.ts';
import type { GuardianKeeper } from '../actuate/guardian.ts';
import { KernelActuator } from '../actuate/kernel-actuator.ts';
import { Leftovers } from '../actuate/leftovers.ts';
import { type PolicyPlaces, readPolicies } from '../actuate/load-policies.ts';
import type { Actuator } from '../contracts.ts';
import type { GuardConfig } from '../guard/config.ts';
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
import { Disk, replaceFile, within } from './disk.ts';
import { startHeartbeat } from './heartbeat.ts';
import { Latch } from './latch.ts';
import { controlMethods } from './methods.ts';
import { openMetrics } from './metrics.ts';
import { openMetricsPlace } from './metrics-server.ts';
import { ownPlaces } from './own-places.ts';
import { defaultPlaces } from './places.ts';
import { readStateFile } from './state-file.ts';
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
  const journalPath = options.journal ?? config.journal ?? join(folder, 'journal.jsonl');
  const queuePath = config.queue ?? join(folder, 'queue.jsonl');
  const metricsPlace = options.metrics ?? config.metrics;
  // What was opened is closed in the reverse order, also where a later step fails.
  await using opened = new AsyncDisposableStack();
  opened.adopt(
    ownPlaces({
      state: folder,
      socket: socketPath,
      journal: journalPath,
      queue: queuePath === false ? undefined : queuePath,
      metrics: metricsPlace,
      machine: dry ? undefined : defaults.lock,
    }),
    (lock) => lock.release(),
  );
  const cpus = onlineCpus();
  const machine = thisMachine(definedOf(config.machine));
  const life = randomBytes(4).toString('hex');
  const disk = new Disk();
  const journal = opened.adopt(
    Journal.open({
      path: journalPath,
      clock,
      life,
      mostBytes: config.journalBytes,
      keep: config.journalFiles,
      disk,
    }),
    (each) => each.close(),
  );
  const latch = new Latch(join(folder, 'killed'), disk);
  latch.reserve();
  const leftovers = Leftovers.read(join(folder, 'leftovers.json'), disk);
  const cleared = dry ? { done: [], faults: [] } : leftovers.clear();
  const keeper = dry ? undefined : opened.adopt(await guardianOf(world, latch.path), (each) => each.close());
  const { actuator, lacking, close } = await actuatorFor(config, options, leftovers, world, keeper);
  opened.defer(close);
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
  opened.defer(async () => void (await within(selector.close(), CLOSE_MS)));
  const probes = config.places.probes ?? options.places.probes;
  const sensor = opened.adopt(
    new ProbeSensor({
      sets: config.probes,
      windowMs: config.windowMs,
      probeMs: config.probeMs,
      rest: config.rest,
      cpus,
      clock,
      open: world.openProbes(probes),
      ...(config.progressFile === undefined ? {} : { progressFile: config.progressFile }),
    }),
    (each) => each.close(),
  );
  const queue = queuePath === false ? undefined : new UnknownQueue(queuePath, machine, clock, disk);
  const boot = bootId();
  const tally = new Tally();
  let metricsFault: string | undefined;
  let listen: () => void = () => undefined;
  const daemon = new Daemon({
    sensor,
    selector,
    actuator,
    journal,
    latch,
    clock,
    queue,
    guard: guardOf(config),
    kernel: release(),
    cpus,
    dry,
    recalled: recallGuard(readStateFile(guardFile), boot, clock.nowNs()),
    keep: (state) => {
      const kept = keepGuard(state, boot, clock.nowNs());
      return disk.later(() => replaceFile(guardFile, kept));
    },
    onLatch: (closed) => (closed ? keeper?.latch() : keeper?.open()),
    listen: () => listen(),
    selectMs: config.selectMs,
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
          latch.fault,
          leftovers.fault,
          queue?.fault,
          metricsFault,
        ].filter((fault) => fault !== undefined),
    });
  const reload = async () => {
    // All of the new is made before any of the old is given up.
    const next = await readConfig(options.config);
    const fresh = await MapSelector.open({
      ...selectorOptions(next),
      map: options.map ?? next.map ?? map,
    });
    await daemon.serial(async () => {
      const old = selector;
      selector = fresh;
      daemon.selector = fresh;
      daemon.guard = guardOf(next);
      sensor.pace(next.windowMs, next.probeMs, next.rest);
      config = next;
      daemon.note('reloaded', `map ${options.map ?? next.map ?? map}`);
      // A map that does not answer is not waited for.
      old.close().catch(() => undefined);
    });
  };
  const metrics =
    metricsPlace === undefined
      ? undefined
      : await openMetricsPlace(metricsPlace, async () => openMetrics(await status(), tally.counts()));
  opened.defer(() => metrics?.close());
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
  opened.defer(() => void control.close());
  options.onSignals({
    reload: () =>
      void reload().catch((error: Error) => {
        daemon.note('reload-refused', error.message);
        say(`pmvx: not reloaded: ${error.message}`);
      }),
    kill: () => {
      daemon.killNow('SIGUSR1').catch((error: Error) => daemon.note('fault', error.message));
    },
  });
  const kernel = await actuator.current();
  const usable = [...actuator.policies.keys()];
  const guarded = keeper === undefined ? '' : `, guardian ${keeper.pid} (${keeper.how})`;
  daemon.note(
    'started',
    `${dry ? 'dry run, ' : ''}map ${map}, sched_ext ${kernel.state}, policies ${usable.join(', ')}${guarded}`,
  );
  for (const done of cleared.done) daemon.note('restored', done);
  say(
    `pmvx autotune ${dry ? '(dry run) ' : ''}works: ${usable.length} policies, windows of ${config.windowMs} ms, socket ${socketPath}`,
  );
  if (lacking.size > 0) say(`${lacking.size} policies cannot be used here: ${summaryOf(lacking)}`);
  const lost = new AbortController();
  if (keeper !== undefined) {
    const heartbeat = startHeartbeat({
      keeper,
      daemon,
      actuator,
      guardianMs: config.guardianMs,
      stuckMs: config.prepareMs + 2 * config.deadlineMs + STUCK_MS + longestWindowMs(config),
      lost: (why) => lost.abort(new Error(why)),
    });
    listen = heartbeat.listen;
    opened.defer(heartbeat.stop);
    keeper.notify('READY=1');
  }
  await daemon.run(AbortSignal.any([signal, lost.signal]));
  if (lost.signal.aborted && !signal.aborted) {
    throw new PmvxError(ExitCode.failure, {
      where: 'pmvx autotune',
      what: `${(lost.signal.reason as Error).message}; EEVDF is in effect`,
      next: 'Start it again: nobody would go home for a daemon without a guardian',
    });
  }
}

/** How long a map may take to be closed, ms. */
const CLOSE_MS = 1000;
/** Beyond what a window and a switch may take, ms: then the loop does not come round any more. */
const STUCK_MS = 5000;

function longestWindowMs({ windowMs, rest, selectMs }: Config): number {
  return windowMs + rest.mostMs + selectMs;
}

/** A policy is judged by what the map is asked for. */
function guardOf({ guard, objective }: Config): GuardConfig {
  return { ...guard, harm: { ...guard.harm, objective } };
}

async function guardianOf(world: World, killFile: string): Promise<GuardianKeeper> {
  try {
    return await world.guardian(killFile);
  } catch (error) {
    throw new PmvxError(
      ExitCode.environment,
      {
        where: 'pmvx autotune',
        what: `the guardian cannot be started: ${(error as Error).message}`,
        next: 'npm rebuild ebpf-napi builds it; or use --dry-run',
      },
      { cause: error },
    );
  }
}

async function actuatorFor(
  config: Config,
  { dry, places }: StartOptions,
  leftovers: Leftovers,
  world: World,
  keeper: GuardianKeeper | undefined,
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
    keeper,
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
  const hurry = config.expedite
    ? world.expediter((passing) => leftovers.savePassing(passing), keeper)
    : undefined;
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
