// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { PlannedTrial } from '../core/trial.ts';
import { plannedTrials } from '../run/scene.ts';
import type { CommandContext } from './context.ts';
import { wantsColour, watchRun } from './run-watcher.ts';

test('colours need a terminal that can show them and a user who wants them', (t) => {
  t.true(wantsColour({ isTTY: true, env: { TERM: 'xterm' } }));
  t.true(wantsColour({ isTTY: true, env: { NO_COLOR: '' } }));
  t.false(wantsColour({ isTTY: true, env: { NO_COLOR: '1' } }));
  t.false(wantsColour({ isTTY: true, env: { TERM: 'dumb' } }));
  t.false(wantsColour({ isTTY: false, env: { FORCE_COLOR: '3' } }));
});

test('without a terminal there is a line for what is lasting, and none for what is running', (t) => {
  const lines: string[] = [];
  const context: CommandContext = {
    root: '/project',
    write: (line) => void lines.push(line),
    warn: (line) => void lines.push(line),
    catalog: () => Promise.reject(new Error('not needed')),
    signal: new AbortController().signal,
    isTTY: false,
    env: {},
  };
  const [planned] = plannedTrials(1) as [PlannedTrial];
  const { watch, end } = watchRun([planned], 1, context);
  watch({ kind: 'begun', total: 1, recorded: [] });
  watch({ kind: 'started', planned, attempt: 1 });
  t.deepEqual(lines, []);
  watch({ kind: 'lost', planned, cause: 'QEMU was killed by SIGKILL', again: true });
  end();
  t.deepEqual(lines, ['[0/1]  block 0  eevdf  hackbench  VM lost: QEMU was killed by SIGKILL; once more']);
});
