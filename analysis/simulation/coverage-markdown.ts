// SPDX-License-Identifier: Apache-2.0
import type { CoverageRow } from './coverage-rows.ts';

/** What a reader must know of a quantity before its figures. */
const ABOUT: Readonly<Record<string, readonly string[]>> = {
  'coverage of remedies tried': [
    "Where a policy's values are skewed and far noisier than the baseline's, Student's interval covers less than it says. What others propose against skewness",
    "(`remedies.ts` has each with its source), on log ratios alone. None is used: Johnson's gains nothing; Hall's and bootstrap-t gain little, and lose coverage on",
    "heavy tails; Student's and Hall's together covers best, and is paid for in width by every experiment, mostly by those of few blocks (below), because few",
    'values cannot tell whether they are skewed. With ten blocks or more the shortfall is three points at most.',
  ],
};

/** The rows as Markdown: a table for each quantity, a line for each noise, a column for each method and number of blocks. */
export function coverageMarkdown(rows: readonly CoverageRow[]): string {
  const experiments = rows[0]?.experiments;
  const lines = [
    '# How often the statistics are right',
    '',
    `Shares over ${experiments} simulated experiments with known truth each, in per cent, as \`pmvx analyze\` would have judged them.`,
    'Made by `node analysis/simulation/coverage.ts`. An experiment has a baseline, its A/A control, one policy with a true ratio of 0.8 and nine',
    'that differ in nothing; values of a block share a factor of up to two, and each has noise of 5 % of its own. With 1,000 experiments a true',
    '95 % shows as 93.6 to 96.4, and a true 5 % as 3.6 to 6.4, nineteen times in twenty. In **bold**: outside what is wanted by more than two',
    'standard errors; with `~`: outside, by less.',
  ];
  for (const quantity of new Set(rows.map((row) => row.quantity))) {
    const own = rows.filter((row) => row.quantity === quantity);
    const wanted = own.find((row) => row.wanted !== '')?.wanted;
    lines.push('', `## ${quantity}${wanted === undefined ? '' : `, wanted: ${wanted}`}`);
    const about = ABOUT[`${quantity}`];
    if (about !== undefined) lines.push('', ...about);
    const flat = own.filter(({ noise }) => sizesOf(own, noise) > 2);
    const rest = own.filter((row) => !flat.includes(row));
    if (flat.length > 0) lines.push('', ...table(flat));
    if (rest.length > 0) lines.push('', ...list(rest));
  }
  const judged = rows.filter(({ met }) => met !== '');
  const count = (met: string) => judged.filter((row) => row.met === met).length;
  lines.push(
    '',
    `Of ${judged.length} shares with a wanted range ${count('yes')} are in it, ${count('within error')} outside by less than two standard errors, ${count('no')} by more.`,
  );
  return `${lines.join('\n')}\n`;
}

function sizesOf(rows: readonly CoverageRow[], noise: string | number): number {
  return new Set(rows.filter((row) => row.noise === noise).map(({ n }) => n)).size;
}

/** Where each experiment has its own number of blocks, the mean of them at the stop. */
function list(rows: readonly CoverageRow[]): string[] {
  return [
    '| noise | method | blocks | share |',
    '|:--|:--|--:|--:|',
    ...rows.map((row) => `| ${row.noise} | ${row.method} | ${row.n} | ${shown(row)} |`),
  ];
}

function table(rows: readonly CoverageRow[]): string[] {
  const sizes = [...new Set(rows.map(({ n }) => n))].sort((a, b) => Number(a) - Number(b));
  const kinds = [
    ...new Map(rows.map(({ noise, method }) => [`${noise}|${method}`, { noise, method }])).values(),
  ];
  return [
    `| noise | method | ${sizes.map((n) => `n = ${n}`).join(' | ')} |`,
    `|:--|:--|${sizes.map(() => '--:').join('|')}|`,
    ...kinds.map(({ noise, method }) => {
      const cells = sizes.map((n) =>
        shown(rows.find((row) => row.noise === noise && row.method === method && row.n === n)),
      );
      return `| ${noise} | ${method} | ${cells.join(' | ')} |`;
    }),
  ];
}

function shown(row: CoverageRow | undefined): string {
  if (row === undefined) return '';
  const percent = (100 * Number(row.share)).toFixed(1);
  return row.met === 'no' ? `**${percent}**` : row.met === 'within error' ? `~${percent}` : percent;
}
