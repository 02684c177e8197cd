// SPDX-License-Identifier: Apache-2.0
import type { Actuator, Status } from '../contracts.ts';
import { dwellLeftNs, lastHour } from '../guard/dwell.ts';
import type { Clock } from '../sense/clock.ts';
import type { Daemon } from './daemon.ts';

export interface StatusParts {
  readonly daemon: Daemon;
  readonly actuator: Actuator;
  readonly clock: Clock;
  readonly life: string;
  readonly dry: boolean;
  readonly map: () => Status['map'];
  readonly restingMs: () => number | undefined;
  readonly faults: () => readonly string[];
}

/** What the daemon would say of itself now. */
export async function statusOf(parts: StatusParts): Promise<Status> {
  const { daemon, actuator, clock, life, dry } = parts;
  const { state, last, guard, stopping } = daemon;
  const nowNs = clock.nowNs();
  const { killed, aside } = state;
  const { user, system } = process.cpuUsage();
  const why = killed ?? (aside === undefined ? undefined : `${aside} is loaded`);
  const restingMs = parts.restingMs();
  const mode = killed !== undefined ? 'killed' : aside !== undefined ? 'stepped-aside' : 'running';
  return {
    v: 1,
    pid: process.pid,
    life,
    at: clock.stamp(),
    mode: stopping ? 'stopping' : mode,
    ...(why === undefined ? {} : { why }),
    dry,
    policy: state.policy,
    kernel: await actuator.current(),
    dwellLeftMs: dwellLeftNs(state, guard, nowNs) / 1e6,
    switchesInLastHour: lastHour(state.switchesNs, nowNs).length,
    switchesAnHour: guard.switchesAnHour,
    quarantine: state.quarantine
      .filter(({ untilNs }) => untilNs > nowNs)
      .map(({ policy, version, untilNs, times, why: cause }) => ({
        policy,
        version,
        leftMs: (untilNs - nowNs) / 1e6,
        times,
        why: cause,
      })),
    ...(last === undefined ? {} : { window: shortWindow(last.window), selection: last.selection }),
    ...(restingMs === undefined ? {} : { restingMs }),
    map: parts.map(),
    faults: parts.faults(),
    cost: {
      cpuSeconds: (user + system) / 1e6,
      upSeconds: process.uptime(),
      rssBytes: process.memoryUsage.rss(),
    },
  };
}

function shortWindow({
  index,
  ms,
  health,
  unknown,
}: NonNullable<Daemon['last']>['window']): NonNullable<Status['window']> {
  return { index, ms, health, ...(unknown === undefined ? {} : { unknown }) };
}
