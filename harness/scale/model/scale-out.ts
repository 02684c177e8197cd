// SPDX-License-Identifier: Apache-2.0
import { EventQueue } from './event-queue.ts';
import { Server, SharedStore } from './servers.ts';

/** What a task of the batch system runs: trials that start in this order on its slots; s each. */
export type TaskTrials = readonly number[];

/** How image and boot come to nodes: they are there; each node copies from the store before its first task; or all get them first, each holder passing them on. */
export type Distribution = 'none' | 'copy' | 'broadcast';

export interface Site {
  readonly nodes: number;
  readonly coresANode: number;
  /** Cores, and so trials at a time, of a task. */
  readonly slotsATask: number;
  /** From handing in until the batch system starts its first task, s. */
  readonly queueSeconds: number;
  /** Of the batch system, for starting one task, one after another, s. */
  readonly launchSeconds: number;
  /** Of a task, besides its trials: its process, the plan, s. */
  readonly taskSeconds: number;
  /** Proof and boot, once, before the first task, s. */
  readonly prepareSeconds: number;
  /** A boot on each node before its first task, s; 0 when the boot is part of what is distributed. */
  readonly bootSeconds: number;
  readonly distribution: Distribution;
  readonly cargoMib: number;
  readonly storeMibS: number;
  readonly linkMibS: number;
  /** Of the one process that collects, for a record, s. */
  readonly recordSeconds: number;
}

export interface Outcome {
  /** From handing in until the last record is collected, s. */
  readonly makespan: number;
  /** Sum of the trials, core-seconds. */
  readonly work: number;
  /** Work by cores and makespan. */
  readonly utilisation: number;
  /** Cores that tasks held, core-seconds. */
  readonly held: number;
  /** When the last node had what it needs; 0 when none had to get anything. */
  readonly readyAt: number;
  /** When the last trial ended. */
  readonly lastTrialAt: number;
  readonly records: number;
  readonly storeSeconds: number;
  readonly collectorSeconds: number;
  readonly launcherSeconds: number;
}

interface Node {
  free: number;
  /** What waits for cargo or boot; undefined once they are there. */
  waiting: (() => void)[] | undefined;
  begun: boolean;
}

/**
 * Simulates one run: prepare, [broadcast], then tasks in order, each on the first node with enough free cores; its trials in order on its slots; each record
 * to the collector. Nothing fails, and no trial is slower for what else its node does.
 */
export function simulate(tasks: readonly TaskTrials[], site: Site): Outcome {
  if (site.slotsATask > site.coresANode) {
    throw new Error(`a task of ${site.slotsATask} cores fits on no node of ${site.coresANode}`);
  }
  const time = new EventQueue();
  const launcher = new Server(time, 1);
  const collector = new Server(time, 1);
  const store = new SharedStore(time, site.storeMibS, site.linkMibS);
  const nodes = Array.from(
    { length: site.nodes },
    (): Node => ({ free: site.coresANode, waiting: [], begun: false }),
  );
  let [next, first, work, held, readyAt, lastTrialAt, records] = [0, 0, 0, 0, 0, 0, 0];

  const place = () => {
    while (next < tasks.length) {
      while (first < nodes.length && (nodes[first] as Node).free < site.slotsATask) first++;
      const node = nodes[first];
      if (node === undefined) return;
      node.free -= site.slotsATask;
      const trials = tasks[next++] as TaskTrials;
      launcher.serve(site.launchSeconds, () => start(node, trials));
    }
  };

  const start = (node: Node, trials: TaskTrials) => {
    const began = time.now;
    const ended = () => {
      held += (time.now - began) * site.slotsATask;
      node.free += site.slotsATask;
      first = Math.min(first, nodes.indexOf(node));
      place();
    };
    time.after(site.taskSeconds, () => whenReady(node, () => runTrials(trials, ended)));
  };

  const whenReady = (node: Node, act: () => void) => {
    if (node.waiting === undefined) return act();
    node.waiting.push(act);
    if (node.begun) return;
    node.begun = true;
    const boot = () => time.after(site.bootSeconds, () => ready(node));
    if (site.distribution === 'copy') store.copy(site.cargoMib, boot);
    else boot();
  };

  const ready = (node: Node) => {
    const { waiting = [] } = node;
    node.waiting = undefined;
    if (site.distribution === 'copy' || site.bootSeconds > 0) readyAt = Math.max(readyAt, time.now);
    for (const act of waiting) act();
  };

  const runTrials = (trials: TaskTrials, ended: () => void) => {
    const slots = new Server(time, site.slotsATask);
    let left = trials.length;
    if (left === 0) ended();
    for (const seconds of trials) {
      slots.serve(seconds, () => {
        work += seconds;
        lastTrialAt = time.now;
        collector.serve(site.recordSeconds, () => records++);
        if (--left === 0) ended();
      });
    }
  };

  time.after(site.queueSeconds + site.prepareSeconds, () => {
    const spread = site.distribution === 'broadcast' ? broadcastSeconds(site) : 0;
    time.after(spread, () => {
      if (spread > 0) readyAt = time.now;
      place();
    });
  });
  const makespan = time.run();
  return {
    ...{ makespan, work, held, readyAt, lastTrialAt, records },
    utilisation: work / (makespan * site.nodes * site.coresANode),
    storeSeconds: store.busySeconds,
    collectorSeconds: collector.busySeconds,
    launcherSeconds: launcher.busySeconds,
  };
}

/** All who hold the cargo, the store among them, send it whole to one more each: holders double every round. */
export function broadcastSeconds({ nodes, cargoMib, storeMibS, linkMibS }: Site): number {
  const rounds = Math.ceil(Math.log2(nodes + 1));
  return (rounds * cargoMib) / Math.min(storeMibS, linkMibS);
}
