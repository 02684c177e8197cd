// SPDX-License-Identifier: Apache-2.0
import { median } from '../../../analysis/stats/median.ts';
import type { Decision, Event, JournalLine, SwitchReport } from '../../runtime/contracts.ts';
import type { LivedPhase } from '../day-output.ts';
import type { LivedArm } from './lived-arms.ts';

/** How the daemon met one phase. */
export interface Reaction {
  readonly block: number;
  readonly phase: string;
  /** Policy in effect when the phase began and when it ended. */
  readonly from: string;
  readonly to: string;
  /** From the phase's begin to the last switch in it; absent when there was none. */
  readonly ms?: number;
  readonly switches: number;
  /** Share of the phase's time under the policy that it ended with. */
  readonly share: number;
}

/** What the daemon itself cost and how it switched, in one block. */
export interface DaemonFacts {
  readonly block: number;
  /** Processor time over the day's length: of one CPU. */
  readonly cpuShare?: number;
  /** Processor time of its start, before the day, ms. */
  readonly startMs?: number;
  readonly peakMiB?: number;
  readonly windows: number;
  /** Windows that nothing known was near to. */
  readonly novel: number;
  readonly decidedMedianMs?: number;
  readonly decidedMostMs?: number;
  readonly switches: number;
  readonly gapMostMs?: number;
  readonly preparedMedianMs?: number;
}

interface Change {
  readonly atNs: number;
  readonly to: string;
  readonly answer: SwitchReport;
}

/** Every change of policy that the kernel confirmed, in order. */
export function changesOf(journal: readonly JournalLine[]): Change[] {
  return journal.flatMap((line): Change[] => {
    if (line.kind === 'intent') return [];
    const { answer, monotonicNs: atNs } = line as Decision | Event;
    return answer?.outcome === 'active' ? [{ atNs, to: answer.to, answer }] : [];
  });
}

/** How the daemon met each phase of a day, in the order in which they came. */
export function reactionsOf({ block, lived }: LivedArm): Reaction[] {
  const changes = changesOf(lived.helper?.journal ?? []);
  return lived.phases.map((phase) => {
    const inside = changes.filter(({ atNs }) => atNs > phase.beganNs && atNs <= phase.endedNs);
    const from = policyAt(changes, phase.beganNs);
    const last = inside.at(-1);
    const to = last?.to ?? from;
    return {
      block,
      phase: phase.name,
      from,
      to,
      ...(last === undefined ? {} : { ms: (last.atNs - phase.beganNs) / 1e6 }),
      switches: inside.length,
      share: shareUnder(to, changes, phase),
    };
  });
}

function policyAt(changes: readonly Change[], atNs: number): string {
  return changes.findLast((change) => change.atNs <= atNs)?.to ?? 'eevdf';
}

function shareUnder(policy: string, changes: readonly Change[], phase: LivedPhase): number {
  const inside = changes.filter(({ atNs }) => atNs > phase.beganNs && atNs < phase.endedNs);
  const ends = [phase.beganNs, ...inside.map(({ atNs }) => atNs), phase.endedNs];
  const policies = [policyAt(changes, phase.beganNs), ...inside.map(({ to }) => to)];
  const under = policies.reduce(
    (sum, each, at) => (each === policy ? sum + (ends[at + 1] as number) - (ends[at] as number) : sum),
    0,
  );
  return under / (phase.endedNs - phase.beganNs);
}

export function daemonFacts({ block, lived }: LivedArm): DaemonFacts | undefined {
  const { helper } = lived;
  if (helper === undefined) return undefined;
  const { startCpuNs, endCpuNs, peakKiB, journal } = helper;
  const decided = journal.flatMap((line) => (line.kind === 'decision' ? [line.decidedMs] : []));
  const changes = changesOf(journal).filter(({ atNs }) => atNs >= lived.beganNs && atNs <= lived.endedNs);
  const spent = startCpuNs === undefined || endCpuNs === undefined ? undefined : endCpuNs - startCpuNs;
  const most = (values: readonly number[]) => (values.length === 0 ? undefined : Math.max(...values));
  return present({
    block,
    cpuShare: spent === undefined ? undefined : spent / (lived.endedNs - lived.beganNs),
    startMs: startCpuNs === undefined ? undefined : startCpuNs / 1e6,
    peakMiB: peakKiB === undefined ? undefined : peakKiB / 1024,
    windows: decided.length,
    novel: journal.filter((line) => line.kind === 'decision' && line.selection.novel).length,
    decidedMedianMs: decided.length === 0 ? undefined : median(decided),
    decidedMostMs: most(decided),
    switches: changes.length,
    gapMostMs: most(changes.map(({ answer }) => answer.gapNs / 1e6)),
    preparedMedianMs:
      changes.length === 0 ? undefined : median(changes.map(({ answer }) => answer.preparedNs / 1e6)),
  });
}

/** Drops members that are `undefined`: absent is absent. */
function present<T extends object>(facts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
