// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode } from '../core/errors.ts';
import { createRun } from '../store/run-folder.ts';
import { sampleCompleted, sampleDescription } from '../store/sample-records.ts';
import type { CommandContext } from './context.ts';
import { type ReportArgs, reportCommand } from './report.ts';

const time = { name: 'time', unit: 's', direction: 'lower', primary: true } as const;

/** Two runs of two blocks each; the policy takes twice as long as the baseline in one, and half as long again in the other. */
async function scene(t: ExecutionContext) {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-report-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const [id, slower] of [
    ['night-1', 2],
    ['night-2', 1.5],
  ] as const) {
    const records = ['eevdf', 'scx_simple'].flatMap((policy, p) =>
      [0, 1].map((block) => {
        const value = p === 0 ? 1 : slower + block / 100;
        return sampleCompleted({
          run: id,
          trial: `000${p * 2 + block}`,
          policy,
          block,
          host: { startedAt: `2026-01-0${slower * 2}T03:04:05.000Z`, seconds: 1.25, attempt: 1 },
          metrics: [{ ...time, value }],
        });
      }),
    );
    const run = await createRun(join(root, 'results', 'runs', id), sampleDescription(records, id));
    for (const record of records) await run.log.append(record);
    await run.close();
  }
  const report = async (args: ReportArgs) => {
    const context: CommandContext = {
      root,
      write: () => undefined,
      warn: () => undefined,
      catalog: () => Promise.reject(new Error('report needs no catalog')),
      signal: new AbortController().signal,
      isTTY: false,
      env: {},
    };
    return reportCommand(args, context);
  };
  return { root, report };
}

test('a run has its page in its own folder', async (t) => {
  const { root, report } = await scene(t);
  t.is(await report({ runs: ['night-1'] }), ExitCode.ok);
  const page = readFileSync(join(root, 'results/runs/night-1/report.html'), 'utf8');
  t.true(page.includes('<h1>night-1</h1>'));
  t.true(page.includes('./pmvx report results/runs/night-1\n'));
  t.false(page.includes('night-2'));
});

test('several runs have one page, with their blocks together and the provenance of each', async (t) => {
  const { root, report } = await scene(t);
  const runs = ['night-1', 'night-2'];
  await t.throwsAsync(report({ runs }), { message: /several runs have no folder of their own/ });
  const out = join(root, 'both');
  t.is(await report({ runs, out }), ExitCode.ok);
  const page = readFileSync(join(out, 'report.html'), 'utf8');
  t.true(page.includes('<h1>night-1 + night-2</h1>'));
  t.true(page.includes('8 trials on mock'));
  for (const id of runs) t.true(page.includes(`<h3>${id}</h3>`));
  t.true(page.includes('./pmvx report results/runs/night-1 results/runs/night-2 --out DIR'));
  t.true(page.includes('The runs were at different times'));
  t.false(existsSync(join(root, 'results/runs/night-1/report.html')));
});
