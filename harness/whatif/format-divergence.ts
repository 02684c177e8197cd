// SPDX-License-Identifier: Apache-2.0
import { printable } from '../core/printable.ts';
import type { Divergence, FrameName } from './diverge.ts';
import { questionWords } from './format-answer.ts';
import type { Switch, Task } from './trace-tally.ts';

type Cells = Readonly<Record<string, string>>;
type Align = (rows: readonly Cells[]) => readonly string[];

/** A divergence for people; `align` makes the lines of a table. */
export function formatDivergence(divergence: Divergence, align: Align): string[] {
  const { question, sides, switches } = divergence;
  const table = (rows: readonly Cells[]) => align(rows).map((line) => `  ${line}`);
  const lines = [
    questionWords(question),
    '',
    ...headline(divergence),
    ...(switches.first === undefined ? [] : table(meeting(divergence))),
    ...choice(divergence, table),
    '',
    ...table(totals(divergence)),
    '',
    'switched to most often',
    ...table(mostOften(divergence)),
    ...sides.flatMap(({ policy, state, reason }) =>
      reason === undefined ? [] : ['', `${policy}: ${state}: ${reason}`],
    ),
    '',
    `transcripts: ${transcriptWords(divergence)}`,
  ];
  return lines.map(printable);
}

function headline({ switches, forkVirtualNs, sides, same }: Divergence): string[] {
  const { first, common } = switches;
  if (first === undefined) {
    const but = same ? '' : ', but the guests did not say the same';
    return [`no difference in ${common} events${but}`];
  }
  const at = Math.min(
    ...[first.left, first.right].map((each) => each?.virtualNs ?? Number.POSITIVE_INFINITY),
  );
  const since =
    forkVirtualNs === undefined ? '' : `${((at - forkVirtualNs) / 1e6).toFixed(6)} ms after the fork point, `;
  return [
    `${sides[0].policy} and ${sides[1].policy} part ${since}${(at / 1e9).toFixed(9)} s after power-on, after ${common} common events:`,
  ];
}

/** The last common switches, then what each side did instead. */
function meeting({ switches, forkVirtualNs, sides }: Divergence): Cells[] {
  return [
    ...switches.lastCommon.map((event) => switchRow('both', event, forkVirtualNs)),
    switchRow(sides[0].policy, switches.first?.left, forkVirtualNs),
    switchRow(sides[1].policy, switches.first?.right, forkVirtualNs),
  ];
}

/** Where the order of switches differs, when at first only times did. */
function choice(
  { switches: { firstChoice, common, first }, forkVirtualNs, sides }: Divergence,
  table: (rows: readonly Cells[]) => readonly string[],
): readonly string[] {
  if (first === undefined || firstChoice?.after === common) return [];
  if (firstChoice === undefined)
    return ['', 'only times differ: the same threads follow each other on the same vCPUs to the end'];
  return [
    '',
    `up to ${firstChoice.after} events only times differ; then the order of switches does:`,
    ...table([
      switchRow(sides[0].policy, firstChoice.left, forkVirtualNs),
      switchRow(sides[1].policy, firstChoice.right, forkVirtualNs),
    ]),
  ];
}

function switchRow(whose: string, event: Switch | undefined, forkVirtualNs: number | undefined): Cells {
  if (event === undefined)
    return { policy: whose, time: 'its trace had ended', vCPU: '', 'who left': '', 'who came': '' };
  const { virtualNs, vcpu, from, to } = event;
  return {
    policy: whose,
    time:
      forkVirtualNs === undefined
        ? `${(virtualNs / 1e9).toFixed(9)} s`
        : `+${((virtualNs - forkVirtualNs) / 1e6).toFixed(6)} ms`,
    vCPU: String(vcpu),
    'who left': taskWords(from),
    'who came': taskWords(to),
  };
}

function taskWords({ tid, comm }: Task): string {
  if (tid === 0) return 'idle';
  return `${comm ?? 'thread'} ${tid}`;
}

function totals({ switches, sides }: Divergence): Cells[] {
  return ([switches.left, switches.right] as const).map((summary, index) => ({
    policy: sides[index as 0 | 1].policy,
    switches: String(summary.switches),
    ...Object.fromEntries(summary.byVcpu.map((count, vcpu) => [`vCPU ${vcpu}`, String(count)])),
    'to idle': String(summary.toIdle),
    outcome: sides[index as 0 | 1].state,
    'fork took': `${sides[index as 0 | 1].hostSeconds.toFixed(1)} s`,
  }));
}

function mostOften({ switches: { left, right }, sides }: Divergence): Cells[] {
  const cell = (entry: { readonly comm: string; readonly switches: number } | undefined): string =>
    entry === undefined ? '' : `${String(entry.switches).padStart(7)}  ${entry.comm}`;
  return Array.from({ length: Math.max(left.commands.length, right.commands.length) }, (_, index) => ({
    [sides[0].policy]: cell(left.commands[index]),
    [sides[0].policy === sides[1].policy ? `${sides[1].policy} (again)` : sides[1].policy]: cell(
      right.commands[index],
    ),
  }));
}

function transcriptWords({ transcripts: { same, commonFrames, first }, sides }: Divergence): string {
  if (same) return `the same, ${commonFrames} frames`;
  const words = (frame: FrameName | undefined): string =>
    frame === undefined ? 'none' : `"${frame.kind}" at ${(frame.guestNs / 1e9).toFixed(6)} s`;
  const where =
    first === undefined
      ? ''
      : `; then ${words(first.left)} under ${sides[0].policy}, ${words(first.right)} under ${sides[1].policy} (guest's clock)`;
  return `the first ${commonFrames} frames are the same${where}`;
}
