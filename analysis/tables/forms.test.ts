// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import test from 'ava';
import { formatValue } from './cells.ts';
import { formatMarkdownTable } from './markdown-table.ts';
import { outcomeTable } from './outcome-table.ts';
import { sampleRun } from './sample-run.ts';
import { TABLE_COLUMNS, tableRows } from './table-rows.ts';
import { formatTextTable } from './text-table.ts';

const REFUSED = { state: 'refused', reason: 'verifier said | no\u001b[31m\nsecond line' } as const;
const OPS = { name: 'ops', unit: 'ops/s', direction: 'higher' } as const;
const TABLE = outcomeTable(
  sampleRun([
    {
      workload: 'hackbench',
      variant: 'transport=pipe',
      ends: {
        eevdf: [0.237, 0.226, 0.242, 0.229, 0.247],
        aa: [0.229, 0.247, 0.236, 0.231, 0.24],
        scx_simple: [0.136, 0.138, 0.143, 0.14, 0.137],
        scx_qmap: [REFUSED, REFUSED, undefined, undefined, undefined],
      },
    },
    {
      workload: 'perf-sched-pipe',
      metric: OPS,
      ends: {
        eevdf: [24691, 24691, 24691, 24691, 24691],
        scx_simple: [12345.5, 12345.5, 12345.5, 12345.5, 12345.5],
        scx_qmap: [REFUSED, REFUSED, REFUSED, REFUSED, REFUSED],
      },
    },
  ]),
);

// Ratios and intervals of this table are those of scipy.stats.ttest_rel on the logarithms.
test('the text form is aligned, names what failed, and shows a dash for what there is not', (t) => {
  t.deepEqual(formatTextTable(TABLE, { colour: false }), [
    'sample: 32 of 35 trials on mock, compared with eevdf',
    '',
    'hackbench transport=pipe: time (s, lower is better)',
    '  policy       median  ratio  95 % interval   verdict    p (Holm)  n  failure rate  not completed',
    '  eevdf        0.2370      1  -               baseline          -  5           0 %  -',
    '  eevdf (A/A)  0.2360  1.002  0.940 to 1.068  undecided       1.0  5           0 %  -',
    '  scx_simple   0.1380  0.588  0.558 to 0.619  better        0.035  5           0 %  -',
    '  scx_qmap          -      -  -               fails             -  0         100 %  2 refused [1], 3 not run yet',
    '',
    'perf-sched-pipe: ops (ops/s, higher is better)',
    '  policy       median  ratio  95 % interval   verdict    p (Holm)  n  failure rate  not completed',
    '  eevdf         24691      1  -               baseline          -  5           0 %  -',
    '  scx_simple    12346  0.500  no spread       worse         0.017  5           0 %  -',
    '  scx_qmap          -      -  -               fails             -  0         100 %  5 refused [2]',
    '',
    'Trials that did not complete:',
    '  [1] scx_qmap on hackbench transport=pipe: refused: verifier said | no\uFFFD[31m second line (trials 0015, 0016)',
    '  [2] scx_qmap on perf-sched-pipe default: refused: verifier said | no\uFFFD[31m second line (trials 0030, 0031, 0032, 0033,',
    '      0034)',
    '',
    '* not finished: 32 of 35 planned trials are recorded so far',
    '* engine mock: made-up figures for tests; they say nothing about any scheduler',
    '* ratio: geometric mean of metric / metric under eevdf in the same block; n: such pairs of blocks',
    '* interval: 95 %, paired t on logarithms, of each cell alone',
    '* better, worse: the true ratio is outside 0.980 to 1.020; equivalent: within; undecided: neither is shown',
    '* at most 5 % of tables hold a false better or worse, and at most 5 % a false equivalent',
    '* p: t test of that, corrected over all 4 measured cells (Holm); where equivalent, the p of equivalence',
    "* its variance is the larger one of the cell's own and of that moderated by all cells and null controls, and allows for",
    '  a correlation of 0.80 between blocks',
    '* fails: more than 10 % of its trials did not complete',
    '* no spread: every block gave exactly the same ratio; p is by the spread of the other cells, or a sign test where none',
    '  has any',
    '* hackbench transport=pipe, eevdf (A/A): block 1 is far from the others (ratio 1.093); it counts like them',
  ]);
});

test('no line of the text form is wider than it may be, and a narrow one goes without what stands elsewhere', (t) => {
  for (const width of [60, 80, 120]) {
    const lines = formatTextTable(TABLE, { colour: false, width });
    for (const line of lines) t.true(line.length <= width, `${width}: ${line}`);
    for (const word of ['0.588', 'better', '0.558 to 0.619', 'fails'])
      t.true(lines.join('\n').includes(word), word);
  }
  const words = (width: number) =>
    formatTextTable(TABLE, { colour: false, width })
      .slice(-6)
      .join(' ')
      .replaceAll(/\s+/g, ' ')
      .split('* ')
      .at(-1);
  t.is(words(60), words(120), 'notes lose nothing');
});

test('the point is named where policies took over in the run, in every form, and nowhere else', (t) => {
  const both = outcomeTable(
    sampleRun([
      { workload: 'hackbench', ends: { eevdf: [2], scx_simple: [1] } },
      { workload: 'hackbench', point: 'warm', ends: { eevdf: [2], scx_qmap: [REFUSED] } },
    ]),
  );
  const text = formatTextTable(both, { colour: false });
  t.deepEqual(
    text.filter((line) => line.startsWith('hackbench')),
    ['hackbench at quiescent: time (s, lower is better)', 'hackbench at warm: time (s, lower is better)'],
  );
  t.true(text.some((line) => line.includes('scx_qmap on hackbench default at warm: refused')));
  t.true(formatMarkdownTable(both).includes('### hackbench at warm: time'));
  t.deepEqual([...new Set(tableRows(both).map(({ point }) => point))], ['quiescent', 'warm']);
  t.false(
    [...formatTextTable(TABLE, { colour: false }), formatMarkdownTable(TABLE)].join().includes('quiescent'),
  );
});

test('colour changes nothing but colour', (t) => {
  const coloured = formatTextTable(TABLE, { colour: true }).join('\n');
  t.true(coloured.includes('\u001b[32mbetter'));
  t.true(coloured.includes('\u001b[31mworse'));
  const yellow = coloured.split('\u001b[33m').slice(1);
  t.deepEqual(
    yellow.map((text) => text.split('\u001b')[0]?.trim()),
    ['2 refused [1], 3 not run yet', '5 refused [2]'],
    'what did not complete, and no dash',
  );
  t.is(coloured.split('\u001b[32m').length, 2);
  t.is(coloured.split('\u001b[31m').length, 2);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences are what is removed
  t.is(coloured.replaceAll(/\u001b\[\d+m/g, ''), formatTextTable(TABLE, { colour: false }).join('\n'));
});

test('Markdown keeps a table whole whatever a guest said', (t) => {
  const markdown = formatMarkdownTable(TABLE);
  const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
  t.is(rows.length, 2 * 2 + 4 + 3);
  for (const line of rows) t.is(line.replaceAll('\\|', '').split('|').length, 11, line);
  t.true(
    markdown.includes('| scx\\_simple | 0.1380 | 0.588 | 0.558 to 0.619 | better | 0.035 | 5 | 0 % | - |'),
  );
  t.true(markdown.includes('verifier said \\| no\uFFFD\\[31m second line'));
  t.true(markdown.endsWith('\n'));
});

test('the flat form has full precision, missing cells missing, and counts every state', (t) => {
  const rows = tableRows(TABLE);
  for (const row of rows) t.deepEqual(Object.keys(row), [...TABLE_COLUMNS]);
  t.like(rows[3], {
    policy: 'scx_qmap',
    median: undefined,
    ratio: undefined,
    low: undefined,
    planned: 5,
    recorded: 2,
    completed: 0,
    refused: 2,
    crashed: 0,
    reasons: REFUSED.reason,
  });
  // numpy.exp(numpy.mean(numpy.log(value) - numpy.log(baseline)))
  t.true(Math.abs(Number(rows[2]?.ratio) - 0.5878677146782703) < 1e-9, `${rows[2]?.ratio}`);
});

test('values are readable from very small to very large', (t) => {
  const shown = [0, 0.00001234567, 0.0012345, 1.5, 999.96, 1234.5, 22750000, 1.5e12, -3.25].map(formatValue);
  t.deepEqual(shown, [
    '0.000',
    '1.235e-5',
    '0.001234',
    '1.500',
    '1000',
    '1235',
    '22750000',
    '1.500e+12',
    '-3.250',
  ]);
});

test('results/README.md documents every column of the table', (t) => {
  const readme = readFileSync(resolve(import.meta.dirname, '../../results/README.md'), 'utf8');
  const section = readme.split('## `table.csv`')[1]?.split('\n## ')[0] ?? '';
  const cells = section.split('\n').map((line) => line.split('|')[1] ?? '');
  const documented = new Set(
    cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1])),
  );
  t.deepEqual([...documented].toSorted(), [...TABLE_COLUMNS].toSorted());
});
