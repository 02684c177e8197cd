// SPDX-License-Identifier: Apache-2.0
import type { Recording, SchedEvent } from './events.ts';
import type { Operation } from './trace.ts';

/** What a made-up run did, as the kernel would tell it and as a trace must have it. */
export interface SampleRun {
  readonly recording: Recording;
  readonly operations: readonly (readonly Operation[])[];
  readonly switches: number;
  readonly preemptions: number;
  readonly runNs: number;
  readonly runnableNs: number;
}

interface Actor {
  readonly pid: number;
  readonly operations: Operation[];
  state: 'running' | 'runnable' | 'waiting' | 'ended';
  since: number;
  run: number;
  timerNs?: number | undefined;
  readonly parent?: Actor;
  endedChildren: Actor[];
  readonly awaited: Set<Actor>;
  /** It waited for the end of one. */
  joins: boolean;
}

/**
 * A run of random tasks on random CPUs: they compute, start, wake and preempt each other, sleep and end, in an order that draws from
 * `random` (0 to 1). Every wait is ended by someone or something before the end.
 */
export function sampleRun(random: () => number, steps: number): SampleRun {
  const below = (most: number) => Math.floor(random() * most);
  const events: SchedEvent[] = [];
  const actors: Actor[] = [actor(100, 0)];
  const totals = { switches: 0, preemptions: 0, runNs: 0, runnableNs: 0 };
  let now = 0;

  const index = (actor: Actor) => actors.indexOf(actor);
  const pick = (state: Actor['state']) => {
    const those = actors.filter((each) => each.state === state);
    return those[below(those.length)];
  };
  /** Computing up to now, closed by an operation. */
  const close = (actor: Actor, operation?: Operation) => {
    if (actor.state === 'running') spend(actor);
    if (actor.run > 0) actor.operations.push({ do: 'run', ns: actor.run });
    actor.run = 0;
    if (operation !== undefined) actor.operations.push(operation);
  };
  const spend = (actor: Actor) => {
    actor.run += now - actor.since;
    totals.runNs += now - actor.since;
    actor.since = now;
  };
  const leave = (actor: Actor, leaveAs: 'preempted' | 'blocked' | 'dead') => {
    events.push({ kind: 'switch', atNs: now, leaves: actor.pid, comes: 0, leave: leaveAs });
  };
  /** Those whose end it may have waited for without sleeping. */
  const join = (actor: Actor, ended: readonly Actor[]) => {
    for (const each of ended) {
      if (actor.awaited.has(each)) continue;
      actor.awaited.add(each);
      actor.operations.push({ do: 'afterEnd', task: index(each) });
    }
  };
  const end = (actor: Actor) => {
    if (index(actor) === 0)
      join(
        actor,
        actors.filter(({ state }) => state === 'ended'),
      );
    actor.state = 'ended';
    actor.parent?.endedChildren.push(actor);
  };
  const come = (actor: Actor) => {
    if (actor.joins) {
      join(actor, actor.endedChildren);
      actor.endedChildren = [];
    }
    actor.joins = false;
    events.push({ kind: 'switch', atNs: now, leaves: 0, comes: actor.pid, leave: 'preempted' });
    totals.switches++;
    totals.runnableNs += now - actor.since;
    actor.state = 'running';
    actor.since = now;
  };
  const wake = (actor: Actor, operation: Operation) => {
    actor.operations.push(operation);
    if (operation.do !== 'period') actor.timerNs = undefined;
    actor.state = 'runnable';
    actor.since = now;
  };
  const byTimer = (actor: Actor) => {
    events.push({ kind: 'wake', atNs: now, by: 'timer', waker: 0, woken: actor.pid });
    const { timerNs } = actor;
    wake(
      actor,
      timerNs === undefined ? { do: 'sleep', ns: now - actor.since } : { do: 'period', ns: now - timerNs },
    );
    actor.timerNs = now;
  };

  for (let step = 0; step < steps; step++) {
    now += 1 + below(1000);
    const running = pick('running');
    const action =
      running === undefined
        ? 'come'
        : (['come', 'preempt', 'block', 'wake', 'timer', 'device', 'start', 'end', 'vain'] as const)[
            below(9)
          ];
    if (action === 'come') {
      const next = pick('runnable');
      if (next !== undefined) come(next);
      else {
        const sleeper = pick('waiting');
        if (sleeper !== undefined) byTimer(sleeper);
      }
      continue;
    }
    if (running === undefined) continue;
    if (action === 'preempt') {
      spend(running);
      leave(running, 'preempted');
      totals.preemptions++;
      running.state = 'runnable';
    } else if (action === 'block') {
      close(running);
      leave(running, 'blocked');
      running.state = 'waiting';
    } else if (action === 'wake') {
      const sleeper = pick('waiting');
      if (sleeper === undefined) continue;
      events.push({ kind: 'wake', atNs: now, by: 'task', waker: running.pid, woken: sleeper.pid });
      close(running, { do: 'wake', task: index(sleeper) });
      wake(sleeper, { do: 'wait', task: index(running) });
    } else if (action === 'vain') {
      // The kernel tells of it, too: the woken one had not fallen asleep.
      const other = pick('running');
      if (other !== undefined && other !== running)
        events.push({ kind: 'wake', atNs: now, by: 'task', waker: running.pid, woken: other.pid });
    } else if (action === 'timer' || action === 'device') {
      const sleeper = pick('waiting');
      if (sleeper === undefined) continue;
      if (action === 'timer') byTimer(sleeper);
      else {
        events.push({ kind: 'wake', atNs: now, by: 'other', waker: 0, woken: sleeper.pid });
        wake(sleeper, { do: 'sleep', ns: now - sleeper.since });
      }
    } else if (action === 'start') {
      // Pids are used again.
      const pid =
        actors.find(
          ({ state, pid: old }) =>
            state === 'ended' && !actors.some((each) => each.pid === old && each.state !== 'ended'),
        )?.pid ?? 100 + actors.length;
      events.push({ kind: 'start', atNs: now, parent: running.pid, child: pid });
      close(running, { do: 'start', task: actors.length });
      actors.push(actor(pid, now, running));
    } else if (actors.filter(({ state }) => state !== 'ended').length > 1) {
      close(running);
      const sleeper = below(2) === 0 ? undefined : pick('waiting');
      if (sleeper !== undefined) {
        events.push({ kind: 'wake', atNs: now, by: 'end', waker: running.pid, woken: sleeper.pid });
        wake(sleeper, { do: 'waitEnd', task: index(running) });
        sleeper.awaited.add(running);
        sleeper.joins = true;
      }
      leave(running, 'dead');
      end(running);
    }
  }
  for (const actor of actors.filter(({ state }) => state === 'waiting')) {
    byTimer(actor);
    come(actor);
  }
  for (const actor of actors.filter(({ state }) => state === 'running')) close(actor);
  for (const actor of actors.filter(({ state }) => state === 'runnable')) {
    if (actor.joins) join(actor, actor.endedChildren);
    close(actor);
  }
  const [first] = actors as [Actor, ...Actor[]];
  if (first.state !== 'ended')
    join(
      first,
      actors.filter(({ state }) => state === 'ended'),
    );
  return {
    recording: { kernel: 'none', cpus: 4, root: 100, durationNs: now, lost: 0, events },
    operations: actors.map(({ operations }) => operations),
    ...totals,
  };
}

function actor(pid: number, since: number, parent?: Actor): Actor {
  return {
    ...{ pid, operations: [], state: 'runnable', since, run: 0 },
    ...(parent === undefined ? {} : { parent }),
    ...{ endedChildren: [], awaited: new Set(), joins: false },
  };
}
