// SPDX-License-Identifier: Apache-2.0
import type { Claim } from './claims.ts';
import { type Finding, VERDICTS } from './finding.ts';

/** A claim with what the data say, and the names of its figures beside the document. */
export interface JudgedClaim {
  readonly claim: Claim;
  readonly finding: Finding;
  readonly figures: readonly { readonly file: string; readonly alt: string }[];
}

/** A run that the verdicts rest on. */
export interface RunSource {
  readonly experiment: string;
  readonly spec: string;
  readonly run: string;
  readonly trials: number;
  readonly completed: number;
  readonly engine: string;
  readonly image: string;
}

/** `REPRODUCTION.md`: verdicts first, then each claim with its numbers. Equal input gives equal bytes. */
export function formatReproduction(given: {
  readonly judged: readonly JudgedClaim[];
  readonly sources: readonly RunSource[];
  readonly command: string;
}): string {
  const { judged, sources, command } = given;
  const counts = VERDICTS.map((verdict) => {
    const count = judged.filter(({ finding }) => finding.verdict === verdict).length;
    return `${count} ${verdict}`;
  });
  const lines = [
    "# The paper's claims",
    '',
    `Made by \`${command}\` from the runs below; every verdict is computed from their records by \`paper-figs/claims/\`.`,
    `Of ${judged.length} claims: ${counts.join(', ')}.`,
    '',
    'All runs are on the engine that the table names. On `exact`, time is instructions: no cache, no branch predictor, no memory bandwidth, no cost of',
    'migration. Performance is 1 / cost, and a gain of 20 % is 1.2 times the work in the same time. Policies are always judged on blocks that did not choose them.',
    '',
    'A verdict needs what tables need: five blocks, at most a tenth of them failed, and a t test on logarithms against the bound of the claim, adjusted by Holm over',
    'all tests of the claim. Intervals in the text are 95 % of each number alone. `not judged`: what is there is too little for a verdict.',
    '',
    '| claim | verdict | deciding figure |',
    '|:--|:--|:--|',
    ...judged.map(({ claim, finding }) => {
      return `| [${claim.id}](#${claim.id.toLowerCase()}) | ${finding.verdict} | ${cell(finding.because[0] ?? '')} |`;
    }),
    '',
    '| experiment | spec | run | trials | completed | engine | image |',
    '|:--|:--|:--|--:|--:|:--|:--|',
    ...sources.map(
      (source) =>
        `| ${source.experiment} | \`harness/experiments/${source.spec}.yaml\` | ${source.run} | ${source.trials} | ${source.completed} | ${source.engine} | ${source.image} |`,
    ),
    '',
    ...judged.flatMap(section),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function section({ claim, finding, figures }: JudgedClaim): string[] {
  return [
    `## ${claim.id}`,
    '',
    `> ${claim.claim} (${claim.section})`,
    '',
    `**${finding.verdict}.** Expected: ${claim.expect}`,
    '',
    ...finding.because.map((sentence) => `- ${sentence}`),
    ...(claim.limit === undefined ? [] : [`- limit: ${claim.limit}`]),
    '',
    ...figures.flatMap(({ file, alt }) => [`![${alt}](${file})`, '']),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
