// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ExitCode } from '../core/errors.ts';
import { runPart } from '../scale/merge/scene.ts';
import type { CommandContext } from './context.ts';
import { mergeCommand } from './merge.ts';

test('merge says what is missing and of which blocks, and is done when nothing is', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-merge-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const runs = join(root, 'results', 'runs');
  await runPart(join(runs, 'part-1'), { shard: { index: 1, of: 2 } });
  await runPart(join(runs, 'part-2'), { shard: { index: 2, of: 2 } });
  const said: string[] = [];
  const context = {
    root,
    write: (line: string) => said.push(line),
    warn: (line: string) => said.push(line),
    env: { NO_COLOR: '1' },
    isTTY: false,
  } as unknown as CommandContext;
  const out = join(runs, 'night');

  t.is(await mergeCommand({ runs: ['part-1'], out, report: false }, context), ExitCode.incomplete);
  t.is(said.at(-3), '9 of 15 trials recorded: 9 completed');
  t.is(
    said.at(-2),
    'pmvx: 6 trials are in none of the runs, of blocks 1, 3: merge them later into the same --out',
  );
  t.is(await mergeCommand({ runs: ['part-1', join(runs, 'part-2')], out }, context), ExitCode.ok);
  t.true(said.includes('15 of 15 trials recorded: 15 completed'));
  t.regex(readFileSync(join(out, 'table.csv'), 'utf8'), /scx_simple/);
});
