// SPDX-License-Identifier: Apache-2.0
import type { PairedRatio } from '../../../analysis/stats/paired-ratio.ts';
import { type CsvCell, formatCsv } from '../../core/csv.ts';
import type { Arm } from '../arms.ts';
import type { Day } from '../day.ts';
import { bestStatic, type Comparison, compareArms, namesOf, overPhases } from './compare-arms.ts';
import { type DaemonFacts, daemonFacts, type Reaction, reactionsOf } from './daemon-facts.ts';
import type { LivedArms } from './lived-arms.ts';
import { type ReplayVerdicts, replayVerdicts } from './replay-verdicts.ts';

/** Everything that a replay shows, from its records alone. */
export interface ReplayResult {
  readonly comparisons: readonly Comparison[];
  /** Of all comparisons, judged together. */
  readonly verdicts: ReplayVerdicts;
  readonly best?: string;
  /** The daemon over the best static arm. */
  readonly againstBest?: PairedRatio;
  /** The daemon over EEVDF where classes are ipc, pipeline and network alone. */
  readonly gainPhases: readonly string[];
  readonly gain?: PairedRatio;
  readonly reactions: readonly Reaction[];
  readonly daemons: readonly DaemonFacts[];
  readonly lost: LivedArms['lost'];
}

export function replayResult(
  day: Day,
  arms: readonly Arm[],
  lived: LivedArms,
  gainPhases: readonly string[],
): ReplayResult {
  const has = (id: string) => arms.some((arm) => arm.id === id);
  const best = bestStatic(
    day,
    arms.flatMap(({ kind, id }) => (kind === 'static' ? [id] : [])),
    lived,
  );
  const autos = lived.days.filter(({ arm }) => arm === 'auto');
  const comparisons = compareArms(
    day,
    arms.map(({ id }) => id),
    lived,
  );
  return {
    comparisons,
    verdicts: replayVerdicts(comparisons, lived),
    ...(best === undefined ? {} : { best }),
    ...(has('auto') && best !== undefined
      ? { againstBest: overPhases(lived, 'auto', best, namesOf(day)) }
      : {}),
    gainPhases,
    ...(has('auto') && gainPhases.length > 0 ? { gain: overPhases(lived, 'auto', 'eevdf', gainPhases) } : {}),
    reactions: autos.flatMap(reactionsOf),
    daemons: autos.flatMap((each) => daemonFacts(each) ?? []),
    lost: lived.lost,
  };
}

const COMPARED = ['arm', 'against', 'scope', 'pairs', 'ratio', 'low', 'high', 'verdict'] as const;

/** `phases.csv`: an arm over another in a phase, or in the day, a row each. */
export function comparisonsCsv({ comparisons, verdicts }: ReplayResult): string {
  return formatCsv(
    COMPARED,
    comparisons.map(({ arm, against, scope, ratio }): CsvCell[] => {
      const [point, low, high] = numbersOf(ratio);
      return [arm, against, scope, ratio.pairs, point, low, high, verdicts.get(ratio)];
    }),
  );
}

/** `replay.json`: all figures, for programs. */
export function replayJson(day: Day, result: ReplayResult): Readonly<Record<string, unknown>> {
  const flat = (ratio: PairedRatio) => {
    const [point, low, high] = numbersOf(ratio);
    return Object.fromEntries(
      Object.entries({ pairs: ratio.pairs, ratio: point, low, high }).filter(
        ([, value]) => value !== undefined,
      ),
    );
  };
  const { comparisons, best, againstBest, gainPhases, gain, reactions, daemons, lost } = result;
  return {
    v: 1,
    day: day.name,
    comparisons: comparisons.map(({ arm, against, scope, ratio }) => ({
      arm,
      against,
      scope,
      ...flat(ratio),
    })),
    ...(best === undefined ? {} : { best }),
    ...(againstBest === undefined ? {} : { againstBest: flat(againstBest) }),
    gainPhases,
    ...(gain === undefined ? {} : { gain: flat(gain) }),
    reactions,
    daemons,
    lost,
  };
}

/** `reactions.csv`: how the daemon met each phase of each block. */
export function reactionsCsv({ reactions }: ReplayResult): string {
  return formatCsv(
    ['block', 'phase', 'from', 'to', 'reaction_ms', 'switches', 'share_under_last'],
    reactions.map(({ block, phase, from, to, ms, switches, share }): CsvCell[] => [
      block,
      phase,
      from,
      to,
      rounded(ms),
      switches,
      rounded(share),
    ]),
  );
}

/** `daemon.csv`: what the daemon cost, a row a block. */
export function daemonCsv({ daemons }: ReplayResult): string {
  return formatCsv(
    [
      'block',
      'cpu_share',
      'start_cpu_ms',
      'peak_mib',
      'windows',
      'novel',
      'decided_median_ms',
      'decided_most_ms',
      'switches',
      'gap_most_ms',
      'prepared_median_ms',
    ],
    daemons.map((each): CsvCell[] => [
      each.block,
      rounded(each.cpuShare),
      rounded(each.startMs),
      rounded(each.peakMiB),
      each.windows,
      each.novel,
      rounded(each.decidedMedianMs),
      rounded(each.decidedMostMs),
      each.switches,
      rounded(each.gapMostMs),
      rounded(each.preparedMedianMs),
    ]),
  );
}

export function numbersOf(
  ratio: PairedRatio,
): [point: number | undefined, low: number | undefined, high: number | undefined] {
  if (ratio.kind === 'none') return [undefined, undefined, undefined];
  if (ratio.kind === 'point') return [rounded(ratio.ratio), undefined, undefined];
  return [rounded(ratio.ratio), rounded(ratio.low), rounded(ratio.high)];
}

function rounded(value: number): number;
function rounded(value: number | undefined): number | undefined;
function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1e4) / 1e4;
}
