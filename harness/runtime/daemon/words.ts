// SPDX-License-Identifier: Apache-2.0
import { printableLines } from '../../core/printable.ts';
import type { Decision, Event, GuardRule, JournalLine, SwitchReport } from '../contracts.ts';

/** What each rule of the guard means. */
const RULES: Readonly<Record<GuardRule, string>> = {
  agrees: 'The map names what is in effect already, so nothing was done.',
  'no-evidence': 'The window says nothing about how the machine looks, so nothing was done.',
  'not-available': 'The policy that was wanted cannot be used on this machine.',
  evidence: 'Enough windows in a row named another policy, and no safeguard spoke against it.',
  dwell: 'Another policy was named, but the present one has not been in effect for its minimum time.',
  hysteresis: 'Another policy was named, but not yet by enough windows in a row.',
  rate: 'Another policy was named, but the switches of this hour are used up.',
  quarantined: 'Another policy was named, but it failed here before and is left alone for some time.',
  killed: 'The kill switch is latched: EEVDF until `pmvx autotune resume`.',
  'stepped-aside': "Somebody else's scheduler is loaded: the daemon stays out of the way until it is gone.",
  harm: 'The machine fared worse than the map predicted, so EEVDF was put back.',
  blind: 'Nothing was seen of how the machine fares for too long, so EEVDF was put back.',
  departed: 'The policy went without having been asked to; EEVDF is in effect.',
  refused: 'The kernel refused the policy.',
  journal: 'The journal takes no lines, and what cannot be recorded is not done.',
  applied: 'The policy was applied from outside, and the map is not asked while that holds.',
  'rolled-back': 'The policy was rolled back from outside.',
  released: 'The daemon ended, and let go of the policy.',
};

/** A line of the journal in words: a sentence or two a paragraph. */
export function explainLine(line: JournalLine): string {
  return printableLines(wordsOf(line));
}

function wordsOf(line: JournalLine): string {
  switch (line.kind) {
    case 'intent':
      return `At ${line.at} a switch from ${line.from} to ${line.to} was about to be made (${line.rule}).`;
    case 'event':
      return explainEvent(line);
    case 'decision':
      return explainDecision(line);
  }
}

function explainEvent(line: Event): string {
  const rule = line.rule === undefined ? '' : ` ${RULES[line.rule]}`;
  return join([`At ${line.at}, ${line.event}: ${line.what}.${rule}`, answerWords(line.answer)]);
}

function explainDecision(line: Decision): string {
  const { window, selection, rule, because, action, from, to, dry } = line;
  const { health } = window;
  const look =
    line.unknown === undefined
      ? nearWords(line)
      : `What was seen says nothing about how the machine looks: ${line.unknown}.`;
  const asked = `The map ${selection.abstained ? `abstained, so ${selection.policy} was wanted` : `named ${selection.policy}${intervalWords(selection)}`}: ${selection.why}.`;
  const done =
    action.kind === 'stay'
      ? `${from} stayed in effect.`
      : dry
        ? `${action.to} would have taken the place of ${from}; this was a dry run, and nothing was done.`
        : from === to
          ? `${action.to} was to take the place of ${from}, and did not.`
          : `${to} took the place of ${from}.`;
  return join([
    `At ${line.at}, decision ${line.seq}, window ${window.index} of ${(window.ms / 1000).toFixed(2)} s.`,
    restWords(window.rested),
    `${healthWords(health)}`,
    look,
    asked,
    `${RULES[rule]} ${capital(because)}.`,
    done,
    answerWords(line.answer),
  ]);
}

function restWords(rested: Decision['window']['rested']): string {
  if (rested === undefined) return '';
  return `Probes had rested for ${(rested.ms / 1000).toFixed(1)} s, as nothing changed; then ${rested.woke}.`;
}

function nearWords({ selection }: Decision): string {
  const [first, ...others] = selection.neighbours;
  if (first === undefined) return 'Nothing that the map knows looks like it.';
  const more = others.map(({ workload, distance }) => `${workload} (${distance.toFixed(2)})`);
  const rest = more.length === 0 ? '' : `, then ${more.join(', ')}`;
  const far = selection.novel ? ' That is too far away to conclude anything; the window was queued.' : '';
  return `It looked most like ${first.workload} (distance ${first.distance.toFixed(2)} of 2)${rest}.${far}`;
}

function intervalWords({ interval }: Decision['selection']): string {
  if (interval === undefined) return '';
  const { ratio, low, high } = interval;
  return `, expected to cost ${ratio.toFixed(2)} of what EEVDF costs (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function healthWords({
  waitP99Us,
  waitMeanUs,
  pressure,
  busy,
  progress,
  progressUnit,
}: Decision['window']['health']) {
  const parts = [
    busy === undefined ? '' : `processors were busy for ${(100 * busy).toFixed(0)} %`,
    waitMeanUs === undefined ? '' : `tasks waited ${waitMeanUs.toFixed(0)} us for one on average`,
    waitP99Us === undefined ? '' : `99 % of them at most ${waitP99Us.toFixed(0)} us`,
    pressure.cpu === undefined ? '' : `CPU pressure was ${(100 * pressure.cpu).toFixed(0)} %`,
    progress === undefined ? '' : `progress was ${progress.toPrecision(3)} ${progressUnit} a second`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'Nothing is known of how the machine fared.' : `${capital(parts.join(', '))}.`;
}

function answerWords(answer: SwitchReport | undefined): string {
  if (answer === undefined) return '';
  const { gapNs, preparedNs } = answer;
  if (answer.outcome === 'refused') return `It was refused: ${answer.why}. ${answer.now} is in effect.`;
  const gap = gapNs > 0 ? `, ${(gapNs / 1e6).toFixed(2)} ms under plain EEVDF in between` : '';
  return `The kernel says: ${answer.proof} (prepared in ${(preparedNs / 1e6).toFixed(1)} ms${gap}).`;
}

function join(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
