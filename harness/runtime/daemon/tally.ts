// SPDX-License-Identifier: Apache-2.0
import type { JournalLine, SwitchReport } from '../contracts.ts';
import type { Counts } from './metrics.ts';

/** Counts what the journal's lines tell of, over a daemon's life. */
export class Tally {
  #windows = 0;
  #unknown = 0;
  #restSeconds = 0;
  #refusals = 0;
  #departures = 0;
  #gapSeconds: number | undefined;
  #decisionSeconds: number | undefined;
  readonly #switches = new Map<string, number>();

  see(line: JournalLine): void {
    if (line.kind === 'intent') return;
    if (line.kind === 'decision') {
      this.#windows++;
      if (line.unknown !== undefined) this.#unknown++;
      this.#restSeconds += (line.window.rested?.ms ?? 0) / 1000;
      this.#decisionSeconds = line.decidedMs / 1000;
    } else if (line.event === 'departed') this.#departures++;
    if (line.answer !== undefined) this.#report(line.answer);
  }

  counts(): Counts {
    return {
      windows: this.#windows,
      unknown: this.#unknown,
      restSeconds: this.#restSeconds,
      refusals: this.#refusals,
      departures: this.#departures,
      switches: this.#switches,
      gapSeconds: this.#gapSeconds,
      decisionSeconds: this.#decisionSeconds,
    };
  }

  #report(answer: SwitchReport): void {
    if (answer.outcome === 'refused') this.#refusals++;
    else {
      this.#switches.set(answer.to, (this.#switches.get(answer.to) ?? 0) + 1);
      this.#gapSeconds = answer.gapNs / 1e9;
    }
  }
}
