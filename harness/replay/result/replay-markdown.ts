// SPDX-License-Identifier: Apache-2.0
import { median } from '../../../analysis/stats/median.ts';
import type { PairedRatio } from '../../../analysis/stats/paired-ratio.ts';
import type { Arm } from '../arms.ts';
import type { Day } from '../day.ts';
import { HARM_MARGIN, namesOf } from './compare-arms.ts';
import { numbersOf, type ReplayResult } from './replay-tables.ts';
import type { ReplayVerdicts } from './replay-verdicts.ts';

/** The replay in words and tables; the same records give the same bytes. */
export function replayMarkdown(day: Day, arms: readonly Arm[], result: ReplayResult): string {
  const ids = arms.map(({ id }) => id).filter((id) => id !== 'eevdf');
  const of = (arm: string, against: string, scope: string) =>
    result.comparisons.find((each) => each.arm === arm && each.against === against && each.scope === scope)
      ?.ratio;
  const scopes = [...namesOf(day), 'day'];
  const lines = [
    `# A day of ${day.phases.length} phases: ${day.name}`,
    '',
    ...(day.about === undefined ? [] : [day.about, '']),
    '## Cost over EEVDF by phase',
    '',
    'Below 1 is better. Geometric means over blocks with 95 % paired t intervals on logarithms, each of its cell alone; verdicts are corrected for all comparisons together, against a margin of 2 %, and need five blocks. `day` is the mean over phases: what the work costs of which each phase is an equal part under EEVDF.',
    '',
    table(
      ['phase', 'workloads', ...ids],
      scopes.map((scope) => [
        scope,
        workloadsOf(day, scope),
        ...ids.map((arm) => ratioCell(of(arm, 'eevdf', scope), result.verdicts)),
      ]),
    ),
  ];
  if (ids.includes('oracle')) {
    const judged = ids.filter((id) => id !== 'oracle');
    lines.push(
      '',
      '## Regret to the oracle',
      '',
      'Cost over that of who knows the best of each phase of the same block beforehand and really switches, with what switching costs.',
      '',
      table(
        ['phase', ...judged],
        scopes.map((scope) => [
          scope,
          ...judged.map((arm) => ratioCell(of(arm, 'oracle', scope), result.verdicts)),
        ]),
      ),
    );
  }
  if (ids.includes('auto')) lines.push('', ...autoLines(result, of, scopes));
  if (result.lost.length > 0) {
    lines.push(
      '',
      '## Days that gave no figures',
      '',
      ...result.lost.map(({ arm, block, how }) => `- ${arm}, block ${block}: ${how}`),
    );
  }
  return `${lines.join('\n')}\n`;
}

function autoLines(
  result: ReplayResult,
  of: (arm: string, against: string, scope: string) => PairedRatio | undefined,
  scopes: readonly string[],
): string[] {
  const harmed = scopes.filter((scope) => {
    const [ratio] = numbersOf(of('auto', 'eevdf', scope) ?? { kind: 'none', pairs: 0, why: 'no-pairs' });
    return scope !== 'day' && ratio !== undefined && ratio > 1 + HARM_MARGIN;
  });
  const late = result.reactions.flatMap(({ ms }) => (ms === undefined ? [] : [ms]));
  const facts = (pick: (each: ReplayResult['daemons'][number]) => number | undefined) =>
    median(result.daemons.flatMap((each) => pick(each) ?? []));
  const most = (pick: (each: ReplayResult['daemons'][number]) => number | undefined) => {
    const values = result.daemons.flatMap((each) => pick(each) ?? []);
    return values.length === 0 ? undefined : Math.max(...values);
  };
  return [
    '## The daemon',
    '',
    table(
      ['figure', 'value'],
      [
        ['cost over EEVDF, day', ratioCell(of('auto', 'eevdf', 'day'), result.verdicts)],
        [`cost over the best static arm (${result.best ?? '-'}), day`, ratioCell(result.againstBest)],
        [`cost over EEVDF, ${result.gainPhases.join(', ') || '-'}`, ratioCell(result.gain)],
        ['regret to the oracle, day', ratioCell(of('auto', 'oracle', 'day'), result.verdicts)],
        [
          `phases worse than EEVDF by over ${HARM_MARGIN * 100} %`,
          harmed.join(', ') || (of('auto', 'eevdf', 'day')?.kind === 'none' ? '-' : 'none'),
        ],
        ['phases in which it switched, of all', `${late.length} of ${result.reactions.length}`],
        ["from a phase's begin to its last switch, median", ms(median(late))],
        ['switches a day, median', String(facts(({ switches }) => switches) ?? '-')],
        ['longest time without either policy at a switch', ms(most(({ gapMostMs }) => gapMostMs))],
        [
          'loading and verifying before a switch, median',
          ms(facts(({ preparedMedianMs }) => preparedMedianMs)),
        ],
        [
          'from the end of a window to the decision, median',
          ms(facts(({ decidedMedianMs }) => decidedMedianMs)),
        ],
        ['its processor time over the day, of one CPU', percent(facts(({ cpuShare }) => cpuShare))],
        ['its processor time before the day, to start', ms(facts(({ startMs }) => startMs))],
        ['its memory, at most', mib(most(({ peakMiB }) => peakMiB))],
      ],
    ),
  ];
}

function workloadsOf(day: Day, scope: string): string {
  const phase = day.phases.find(({ name }) => name === scope);
  return phase?.parts.map(({ workload, metric }) => `${workload} (${metric})`).join(' + ') ?? '';
}

/** `0.812 (0.790 to 0.835)`, and its verdict where it is one of the comparisons that are judged together. */
export function ratioCell(ratio: PairedRatio | undefined, verdicts?: ReplayVerdicts): string {
  if (ratio === undefined || ratio.kind === 'none') return '-';
  if (ratio.kind === 'point') return `${ratio.ratio.toFixed(3)} (n = 1)`;
  const verdict = verdicts?.get(ratio);
  const said = verdict === undefined || verdict === 'undecided' ? '' : `, ${verdict}`;
  return `${ratio.ratio.toFixed(3)} (${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}${said})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `| ${head.map(() => ':--').join(' | ')} |`, ...rows.map(line)].join('\n');
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

function mib(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(0)} MiB`;
}

function percent(value: number | undefined): string {
  return value === undefined ? '-' : `${(100 * value).toFixed(1)} %`;
}
