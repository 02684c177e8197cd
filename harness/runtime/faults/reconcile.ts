// SPDX-License-Identifier: Apache-2.0
import type { JournalLine, SwitchReport } from '../contracts.ts';

/** A switch to a scheduler that the journal tells of: `sure` when the kernel's answer is there, too. */
interface Told {
  readonly ops: string;
  readonly sure: boolean;
}

/**
 * Compares what a journal says with what the kernel did: each scheduler that was enabled must be told of beforehand, in its order, and each
 * that is told to be active must have been enabled. An intent without an active answer may have come to pass or not. A breach in words;
 * undefined for none.
 */
export function unloggedSwitch(
  lines: readonly JournalLine[],
  enabled: { readonly count: number; readonly names?: readonly string[] },
  opsOf: (policy: string) => string | undefined,
): string | undefined {
  const told = toldSwitches(lines, opsOf);
  const sure = told.filter((each) => each.sure).length;
  const { count, names } = enabled;
  if (count > told.length)
    return `the kernel enabled ${count} schedulers, and the journal tells of ${told.length} switches to one`;
  if (count < sure)
    return `the kernel enabled ${count} schedulers, and the journal says that ${sure} became active`;
  if (names !== undefined && !matches(told, names))
    return `the kernel enabled ${names.join(', ')}; the journal tells of ${told.map(({ ops, sure: is }) => (is ? ops : `${ops}?`)).join(', ')}`;
  return undefined;
}

function toldSwitches(lines: readonly JournalLine[], opsOf: (policy: string) => string | undefined): Told[] {
  return lines.flatMap((line, at) => {
    if (line.kind !== 'intent') return [];
    const ops = opsOf(line.to);
    if (ops === undefined) return [];
    const answer = answerOf(lines, at);
    return [{ ops, sure: answer?.outcome === 'active' }];
  });
}

/** The answer to an intent: that of the next line of the same life that has one, before its next intent. */
function answerOf(lines: readonly JournalLine[], at: number): SwitchReport | undefined {
  const intent = lines[at] as JournalLine;
  for (const line of lines.slice(at + 1)) {
    if (line.life !== intent.life) continue;
    if (line.kind === 'intent') return undefined;
    if (line.answer !== undefined) return line.answer;
  }
  return undefined;
}

/** Whether the names are the sure ones and some of the others, in order. */
function matches(told: readonly Told[], names: readonly string[]): boolean {
  // reached[n]: the first n names are explained by the switches looked at so far.
  let reached = new Set([0]);
  for (const { ops, sure } of told) {
    const next = new Set(sure ? [] : reached);
    for (const n of reached) if (names[n] === ops) next.add(n + 1);
    reached = next;
  }
  return reached.has(names.length);
}
