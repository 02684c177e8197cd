// SPDX-License-Identifier: Apache-2.0
import {
  BOOT_SECONDS,
  FAST_MIB_S,
  IMAGE_MIB,
  type MatrixCosts,
  SLOW_MIB_S,
  SNAPSHOT_MIB,
  tasksOf,
  type UnitName,
} from './inputs.ts';
import { broadcastSeconds, type Outcome, type Site, simulate } from './scale-out.ts';

/** How nodes get what they need. */
export type Way = 'on the node' | 'copy' | 'broadcast' | 'copy, boot on each node';

export interface Case {
  readonly cores: number;
  readonly unit: UnitName;
  readonly slotsATask: number;
  readonly way: Way;
  /** Link of the store and of each node. */
  readonly gbitS: 1 | 10;
}

export interface SiteCosts {
  readonly queueSeconds: number;
  readonly taskSeconds: number;
  readonly launchSeconds: number;
  readonly recordSeconds: number;
  readonly prepareSeconds: number;
}

const CORES_A_NODE = 16;

/** Sizes of sites, and the ways that make a difference on each. */
export const CASES: readonly Case[] = [
  { cores: 1, unit: 'block', slotsATask: 1, way: 'on the node', gbitS: 10 },
  { cores: 16, unit: 'block', slotsATask: 16, way: 'on the node', gbitS: 10 },
  { cores: 256, unit: 'block', slotsATask: 16, way: 'copy', gbitS: 10 },
  { cores: 256, unit: 'workload of a block', slotsATask: 1, way: 'copy', gbitS: 10 },
  { cores: 256, unit: 'workload of a block', slotsATask: 8, way: 'copy', gbitS: 10 },
  { cores: 4096, unit: 'block', slotsATask: 16, way: 'copy', gbitS: 10 },
  ...([1, 8, 16] as const).map(
    (slotsATask): Case => ({ cores: 4096, unit: 'workload of a block', slotsATask, way: 'copy', gbitS: 10 }),
  ),
  { cores: 4096, unit: 'workload of a block', slotsATask: 8, way: 'broadcast', gbitS: 10 },
  { cores: 4096, unit: 'workload of a block', slotsATask: 8, way: 'copy, boot on each node', gbitS: 10 },
  { cores: 4096, unit: 'workload of a block', slotsATask: 8, way: 'copy', gbitS: 1 },
  { cores: 4096, unit: 'workload of a block', slotsATask: 8, way: 'broadcast', gbitS: 1 },
  { cores: 4096, unit: 'trial', slotsATask: 1, way: 'broadcast', gbitS: 10 },
];

export function siteOf({ cores, slotsATask, way, gbitS }: Case, costs: SiteCosts): Site {
  const coresANode = Math.min(cores, CORES_A_NODE);
  const boots = way === 'copy, boot on each node';
  const rate = gbitS === 10 ? FAST_MIB_S : SLOW_MIB_S;
  return {
    ...costs,
    ...{
      nodes: cores / coresANode,
      coresANode,
      slotsATask,
      cargoMib: boots ? IMAGE_MIB : IMAGE_MIB + SNAPSHOT_MIB,
      storeMibS: rate,
      linkMibS: rate,
    },
    bootSeconds: boots ? BOOT_SECONDS : 0,
    distribution: way === 'on the node' ? 'none' : way === 'broadcast' ? 'broadcast' : 'copy',
  };
}

/** A least makespan that one resource alone would allow, s. */
export interface Bound {
  readonly resource: string;
  readonly seconds: number;
}

/** Lower bounds of the makespan by resource, the greatest first: the first is what saturates. */
export function boundsOf(each: Case, costs: MatrixCosts, site: Site, outcome: Outcome): Bound[] {
  const tasks = tasksOf(costs, each.unit);
  const longest = tasks.map((trials) => {
    const sum = trials.reduce((total, seconds) => total + seconds, 0);
    return site.taskSeconds + Math.max(sum / site.slotsATask, ...trials);
  });
  const places = site.nodes * Math.floor(site.coresANode / site.slotsATask);
  const spread =
    site.distribution === 'broadcast'
      ? broadcastSeconds(site)
      : site.distribution === 'copy'
        ? outcome.storeSeconds + site.bootSeconds
        : 0;
  const fewer = tasks.length <= places;
  const shortest = tasks.map(
    (trials) => trials.reduce((total, seconds) => total + seconds, 0) / site.slotsATask,
  );
  return [
    { resource: 'cores', seconds: outcome.work / (site.nodes * site.coresANode) },
    {
      resource: fewer ? 'longest unit (fewer units than places)' : 'longest unit',
      seconds: Math.max(...longest),
    },
    { resource: 'whole rounds of units', seconds: Math.ceil(tasks.length / places) * Math.min(...shortest) },
    { resource: each.way === 'broadcast' ? 'broadcast' : 'store', seconds: spread },
    { resource: 'batch system', seconds: outcome.launcherSeconds },
    { resource: 'collector', seconds: outcome.collectorSeconds },
    { resource: 'proof and boot', seconds: site.prepareSeconds + site.queueSeconds },
  ].toSorted((a, b) => b.seconds - a.seconds);
}

export function simulateCase(each: Case, matrix: MatrixCosts, costs: SiteCosts) {
  const site = siteOf(each, costs);
  const outcome = simulate(tasksOf(matrix, each.unit), site);
  return { outcome, bounds: boundsOf(each, matrix, site, outcome) };
}
