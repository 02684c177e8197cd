// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { type QuickstartSteps, quickstartCommand } from './quickstart.ts';

function scene(codes: { image?: ExitCode; selfTest?: ExitCode; run?: ExitCode } = {}) {
  const lines: string[] = [];
  const done: string[] = [];
  const context: CommandContext = {
    root: '/project',
    write: (line) => void lines.push(line),
    warn: (line) => void lines.push(line),
    catalog: () => Promise.reject(new Error('not needed')),
    signal: new AbortController().signal,
    isTTY: false,
    env: {},
  };
  const step = (name: string, code: ExitCode = ExitCode.ok) => {
    return async (what: string) => {
      done.push(`${name} ${what}`);
      return code;
    };
  };
  const steps: QuickstartSteps = {
    ensureImage: step('image', codes.image),
    selfTest: step('self-test', codes.selfTest),
    run: step('run', codes.run),
  };
  return { context, steps, lines, done };
}

const ALL = ['image quick', 'self-test quick', 'run /project/harness/experiments/quickstart.yaml'];

test('quickstart makes the image, proves it, runs the experiment and says what next', async (t) => {
  const { context, steps, lines, done } = scene();
  t.is(await quickstartCommand({ yes: true }, context, steps), ExitCode.ok);
  t.deepEqual(done, ALL);
  t.true(lines.includes('What next:'));
});

test('quickstart runs nothing on an image that could not be made or proven', async (t) => {
  const unbuilt = scene({ image: ExitCode.environment });
  t.is(await quickstartCommand({}, unbuilt.context, unbuilt.steps), ExitCode.environment);
  t.deepEqual(unbuilt.done, ALL.slice(0, 1));
  const untrusted = scene({ selfTest: ExitCode.image });
  t.is(await quickstartCommand({}, untrusted.context, untrusted.steps), ExitCode.image);
  t.deepEqual(untrusted.done, ALL.slice(0, 2));
});

test('a quickstart that was stopped does not talk about what next', async (t) => {
  const { context, steps, lines } = scene({ run: ExitCode.interrupted });
  t.is(await quickstartCommand({}, context, steps), ExitCode.interrupted);
  t.false(lines.includes('What next:'));
});
