// SPDX-License-Identifier: Apache-2.0
import type { CoverageRow } from './coverage-rows.ts';
import { MEDIAN_PAIRED, QUARTILE_PAIRED } from './family-rows.ts';

/** What a reader must know of a quantity before its figures. */
const ABOUT: Readonly<Record<string, readonly string[]>> = {
  'tables with a false better or worse': [
    'Nothing differs: all geometric means are equal. What no test of so few blocks is safe from is a policy that is far noisier than all else and skewed: without one',
    'of its rare slow values its blocks look alike and too fast. Of the bimodal one, a fifth of whose values are slow, five blocks hold none of these in a third of',
    'all cases, ten in a tenth, and ten are enough to be sure of the wrong thing. With twenty this is rare.',
  ],
  'difference found': [
    `The first of the cells differs by the ratio that is named, and nothing else does. Of the cells of the committed runs (\`node analysis/simulation/paired-noise.ts\`)`,
    `half have a standard deviation of their log ratios of at most ${MEDIAN_PAIRED}, and three in four of at most ${QUARTILE_PAIRED}.`,
  ],
  'coverage of remedies tried': [
    "Where a policy's values are skewed and far noisier than the baseline's, Student's interval covers less than it says. What others propose against skewness",
    "(`remedies.ts` has each with its source), on log ratios alone. None is used: Johnson's gains nothing; Hall's and bootstrap-t gain little, and lose coverage on",
    "heavy tails; Student's and Hall's together covers best, and is paid for in width by every experiment, mostly by those of few blocks (below), because few",
    'values cannot tell whether they are skewed. With ten blocks or more the shortfall is three points at most.',
  ],
};

/** The rows as Markdown: a table for each quantity, a line for each noise, a column for each method and number of blocks. */
export function coverageMarkdown(rows: readonly CoverageRow[]): string {
  const lines = [
    '# How often the statistics are right',
    '',
    'Shares over simulated experiments with known truth, in per cent, as `pmvx analyze` would have judged them; as many of each as the column `experiments` of',
    '`coverage.csv` says. Made by `node analysis/simulation/coverage.ts`. Values of a block share a factor of up to two, and each has noise of its own, of 5 %',
    'where nothing else is said; the null control has seeds of its own. With 1,000 experiments a true 95 % shows as 93.6 to 96.4, and a true 5 % as 3.6 to',
    '6.4, nineteen times in twenty. In **bold**: outside what is wanted by more than two standard errors; with `~`: outside, by less.',
    '',
    'First whole tables, of 4 or 18 workloads with five policies each: how many hold any false verdict, and how often a true difference is found. Then',
    'single intervals of one policy with a true ratio of 0.8.',
  ];
  for (const quantity of new Set(rows.map((row) => row.quantity))) {
    const own = rows.filter((row) => row.quantity === quantity);
    const wanted = [...new Set(own.flatMap(({ wanted }) => (wanted === '' ? [] : [wanted])))];
    lines.push('', `## ${quantity}${wanted.length === 0 ? '' : `, wanted: ${wanted.join(', or ')}`}`);
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
