// SPDX-License-Identifier: Apache-2.0
import { formatCsv } from '../../core/csv.ts';
import type { Mutant } from './mutants.ts';
import type { Fate } from './try.ts';

/** A mutant that was tried. */
export interface Tried {
  readonly mutant: Mutant;
  readonly fate: Fate;
  readonly module: string;
  /** The line that was changed, and what in it. */
  readonly line: string;
  readonly from: string;
  /** Why no test can notice it, of those in the list. */
  readonly equivalent: string | undefined;
}

/** Counts of a set of mutants. */
export interface Count {
  readonly tried: number;
  /** By a test, those among them that never ended. */
  readonly killed: number;
  readonly timedOut: number;
  /** By the type check or the linter. */
  readonly checked: number;
  readonly equivalent: number;
  readonly unreached: number;
  readonly survived: number;
  /** Killed of those that a test could notice; undefined when there are none. */
  readonly rate: number | undefined;
}

export function countOf(tried: readonly Tried[]): Count {
  const of = (test: (each: Tried) => boolean) => tried.filter(test).length;
  const timedOut = of(({ fate }) => fate.kind === 'timed out');
  const killed = of(({ fate }) => fate.kind === 'killed') + timedOut;
  const checked = of(({ fate }) => fate.kind.startsWith('caught'));
  const left = tried.filter(({ fate }) => fate.kind === 'survived' || fate.kind === 'no test reaches it');
  const equivalent = left.filter((each) => each.equivalent !== undefined).length;
  const unreached = left.filter((each) => each.equivalent === undefined && each.fate.by === '').length;
  const survived = left.length - equivalent - unreached;
  const noticeable = killed + survived + unreached;
  const rate = noticeable === 0 ? undefined : killed / noticeable;
  return { tried: tried.length, killed, timedOut, checked, equivalent, unreached, survived, rate };
}

/**
 * Chance of at most `killed` of `noticeable` when each is killed with probability `share`: small when tests notice surely less. Of few tries
 * nothing is sure.
 */
export function chanceOfFewer(killed: number, noticeable: number, share: number): number {
  let term = (1 - share) ** noticeable;
  let sum = 0;
  for (let k = 0; k <= killed; k++) {
    sum += term;
    term *= ((noticeable - k) / (k + 1)) * (share / (1 - share));
  }
  return sum;
}

export function tableOf(tried: readonly Tried[]): string {
  const modules = [...new Set(tried.map(({ module }) => module))];
  const row = (name: string, of: readonly Tried[]) => {
    const { tried, killed, timedOut, checked, equivalent, unreached, survived, rate } = countOf(of);
    const share = rate === undefined ? '' : `${(100 * rate).toFixed(1)} %`;
    return `| ${[name, tried, killed, timedOut, checked, equivalent, unreached, survived, share].join(' | ')} |`;
  };
  return [
    '| module | tried | killed | of them timed out | caught by types or linter | equivalent | reached by no test | survived | killed of noticeable |',
    '| :-- | --: | --: | --: | --: | --: | --: | --: | --: |',
    ...modules.map((name) =>
      row(
        name,
        tried.filter(({ module }) => module === name),
      ),
    ),
    row('all', tried),
  ].join('\n');
}

/** One mutant in words. */
export function mutantLine({ mutant, from, fate, line }: Tried): string {
  const to = mutant.with === '' ? 'nothing' : mutant.with;
  return `${mutant.file}:${mutant.line}: ${short(from)} -> ${to} (${mutant.operator}): ${fate.kind}${fate.kind === 'killed' ? ` by ${fate.by}` : ''}, in: ${line}`;
}

export function csvOf(tried: readonly Tried[]): string {
  return formatCsv(
    ['module', 'file', 'line', 'operator', 'from', 'to', 'fate', 'by', 'equivalent'],
    tried.map(({ module, mutant, from, fate, equivalent }) => {
      const { file, line, operator } = mutant;
      return [module, file, line, operator, short(from), mutant.with, fate.kind, fate.by, equivalent];
    }),
  );
}

function short(text: string): string {
  const flat = text.replace(/\s+/g, ' ');
  return flat.length > 80 ? `${flat.slice(0, 77)}...` : flat;
}
