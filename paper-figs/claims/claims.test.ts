// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { experimentsOf, readClaims } from './claims.ts';
import { formatReproduction } from './reproduction.ts';

const root = resolve(import.meta.dirname, '../..');

test('the nine claims are there, and every experiment is a spec that ships', async (t) => {
  const { claims, experiments } = await readClaims(root);
  t.deepEqual(
    claims.map(({ id }) => id),
    ['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8', 'C9'],
  );
  for (const { quick, full } of Object.values(experiments)) {
    for (const name of [quick, full ?? quick]) {
      t.true(existsSync(join(root, 'harness/experiments', `${name}.yaml`)), name);
    }
  }
  const used = new Set(
    claims.flatMap((claim) => [...experimentsOf(claim.test), ...claim.figures.map(({ of }) => of)]),
  );
  t.deepEqual([...used].sort(), Object.keys(experiments).sort(), 'each experiment serves a claim');
});

async function faultsOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-claims-'));
  try {
    await mkdir(join(folder, 'paper-figs'));
    await writeFile(join(folder, 'paper-figs/claims.yaml'), text);
    return await readClaims(folder).then(
      () => 'no fault',
      (error: Error) => error.message,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a claim that names no experiment, or is tested by no rule, is refused with its place', async (t) => {
  const claim = (kind: string) =>
    [
      'experiments: { all: { quick: quickstart } }',
      'claims:',
      '  - id: C1',
      '    claim: it is so',
      '    section: "1"',
      '    expect: it shows',
      `    test: ${kind}`,
    ].join('\n');
  t.is(
    await faultsOf(claim('{ kind: no-harm, experiment: none, classes: [cpu], margin: 0.1 }')),
    'paper-figs/claims.yaml:3:5: C1 names the experiment none, which "experiments" does not have. Add it there, or name one of all',
  );
  t.is(
    await faultsOf(claim('{ kind: replay-switches, replay: day }')),
    'paper-figs/claims.yaml:3:5: C1 names the replay day, which "replays" does not have. Add it there',
  );
  t.regex(await faultsOf(claim('{ kind: wishful }')), /^paper-figs\/claims\.yaml:7:\d+: /);
  t.is(await faultsOf(claim('{ kind: not-testable, why: none }')), 'no fault');
});

test('the document leads with verdicts, and equal findings give equal bytes', async (t) => {
  const { claims } = await readClaims(root);
  const judged = claims.map((claim) => ({
    claim,
    finding: { verdict: 'not testable', because: ['a | b'], numbers: {} } as const,
    figures: [],
  }));
  const text = formatReproduction({ judged, sources: [], command: './pmvx paper --quick' });
  t.is(formatReproduction({ judged, sources: [], command: './pmvx paper --quick' }), text);
  t.true(text.includes('0 reproduced, 0 partly, 0 not reproduced, 9 not testable, 0 not judged'));
  t.true(text.includes('| [C5](#c5) | not testable | a \\| b |'));
});
