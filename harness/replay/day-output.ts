// SPDX-License-Identifier: Apache-2.0
import type { JournalLine } from '../runtime/contracts.ts';

/** One run of a command, times in ns of the guest's monotonic clock. */
export interface LivedRound {
  readonly round: number;
  readonly beganNs: number;
  readonly endedNs: number;
  readonly exit: number;
  /** What the kernel called the scheduler when it ended; absent under the kernel's own. */
  readonly ops?: string;
  readonly output: string;
}

export interface LivedPhase {
  readonly name: string;
  readonly beganNs: number;
  readonly endedNs: number;
  /** By part, then in the order of rounds. */
  readonly parts: readonly (readonly LivedRound[])[];
}

/** What the daemon, or who stood in for it, cost and did. */
export interface LivedHelper {
  /** From its start to when it answered. */
  readonly readyNs: number;
  /** Processor time before the first phase and after the last; absent when it was gone by then. */
  readonly startCpuNs?: number;
  readonly endCpuNs?: number;
  readonly rssKiB?: number;
  readonly peakKiB?: number;
  /** Exit status, 128 + signal; absent when it had not ended. */
  readonly exit?: number;
  readonly journal: readonly JournalLine[];
  /** Windows that nothing known was near to, as `pmvx tune --queue` reads them: a line of JSON each. */
  readonly queue: readonly string[];
  readonly said: readonly string[];
}

/** A day as it was lived: phases in the order in which they came. */
export interface LivedDay {
  readonly beganNs: number;
  readonly endedNs: number;
  readonly phases: readonly LivedPhase[];
  readonly helper?: LivedHelper;
}

/** Reads what the guest's program printed (guest/main.c). Throws RangeError for what is cut short or makes no sense. */
export function readDayOutput(text: string): LivedDay {
  const rounds: (LivedRound & { readonly phase: string; readonly part: number })[] = [];
  const phases: LivedPhase[] = [];
  const journal: JournalLine[] = [];
  const queue: string[] = [];
  const said: string[] = [];
  const helper: { -readonly [K in keyof LivedHelper]?: LivedHelper[K] } = {};
  let day: { readonly beganNs: number; readonly endedNs: number } | undefined;
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line.split(' ');
    const numbers = rest.map(Number);
    const at = (index: number): number => {
      const number = numbers[index];
      if (number !== undefined && Number.isFinite(number)) return number;
      throw new RangeError(`no number in ${JSON.stringify(line.slice(0, 100))}`);
    };
    if (word === '|') {
      const last = rounds.at(-1);
      if (last !== undefined)
        rounds[rounds.length - 1] = { ...last, output: `${last.output}${line.slice(2)}\n` };
    } else if (word === 'round') {
      const [phase = '', , , , , , ops = '-'] = rest;
      const times = { beganNs: at(3), endedNs: at(4), exit: at(5) };
      rounds.push({
        phase,
        part: at(1),
        round: at(2),
        ...times,
        ...(ops === '-' ? {} : { ops }),
        output: '',
      });
    } else if (word === 'phase') {
      phases.push(phaseOf(rest[0] ?? '', at(1), at(2), rounds));
    } else if (word === 'day') {
      day = { beganNs: at(0), endedNs: at(1) };
    } else if (word === 'reported') {
      const reported = line.slice(word.length + 1);
      const value = JSON.parse(reported) as JournalLine | { readonly kind?: undefined };
      // Lines of the queue are of no kind of the journal's.
      if (value.kind === undefined) queue.push(reported);
      else journal.push(value);
    } else if (word === 'said') {
      said.push(line.slice(word.length + 1));
    } else if (word === 'helper') {
      if (rest[0] === 'ready') helper.readyNs = at(1);
      if (rest[0] === 'ended') helper.exit = at(1);
      if (rest[0] === 'cost') {
        if (rest[4] === 'begin') helper.startCpuNs = at(1);
        else Object.assign(helper, { endCpuNs: at(1), rssKiB: at(2), peakKiB: at(3) });
      }
    }
  }
  if (day === undefined) throw new RangeError('the day has no end: its output was cut short');
  const { readyNs } = helper;
  return {
    ...day,
    phases,
    ...(readyNs === undefined ? {} : { helper: { ...helper, readyNs, journal, queue, said } }),
  };
}

function phaseOf(
  name: string,
  beganNs: number,
  endedNs: number,
  rounds: readonly (LivedRound & { readonly phase: string; readonly part: number })[],
): LivedPhase {
  const own = rounds.filter(({ phase }) => phase === name);
  const parts = Array.from({ length: Math.max(0, ...own.map(({ part }) => part + 1)) }, (_, part) =>
    own
      .filter((each) => each.part === part)
      .map(({ phase: _phase, part: _part, ...round }): LivedRound => round)
      .sort((a, b) => a.round - b.round),
  );
  return { name, beganNs, endedNs, parts };
}
