// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { requireSameRun } from './same-run.ts';
import { plannedTrials, SPEC } from './scene.ts';

const BASIS = { spec: SPEC, plan: { trials: plannedTrials(4) }, image: { guest: 'aa', tools: 'bb' } };

test('the same spec, plan and image may go on', (t) => {
  t.notThrows(() => requireSameRun('r', BASIS, structuredClone(BASIS)));
});

test('a changed spec is refused, and what differs is named', (t) => {
  const spec = { ...SPEC, seeds: { base: 8, count: 4 } };
  const error = t.throws(() => requireSameRun('r', BASIS, { ...BASIS, spec }), { instanceOf: PmvxError });
  t.is((error as PmvxError).code, ExitCode.usage);
  t.is(
    error?.message,
    'r: cannot go on with this run: its spec has changed (seeds.base was 7, is 8). Put the spec and --engine back as they were, or start a new run without --resume.',
  );
});

test('a changed image is refused by the part that changed', (t) => {
  const error = t.throws(() => requireSameRun('r', BASIS, { ...BASIS, image: { guest: 'aa', tools: 'cc' } }));
  t.regex(error?.message ?? '', /its image has changed \(tools was "bb", is "cc"\)/);
});

test('a plan that came out otherwise is refused, with the first differences', (t) => {
  const plan = { trials: plannedTrials(4).toReversed() };
  const error = t.throws(() => requireSameRun('r', BASIS, { ...BASIS, plan }));
  t.regex(
    error?.message ?? '',
    /its plan has changed \(trials\[0\]\.trial was "0000", is "0003"; .*; \d+ more\)/,
  );
});

test('three differences are told, and of more how many there are besides', (t) => {
  const changed = (count: number) => {
    const image = (value: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`part${at}`, value]));
    const error = t.throws(() =>
      requireSameRun('r', { ...BASIS, image: image('a') }, { ...BASIS, image: image('b') }),
    );
    return /\((.*)\)/.exec(error?.message ?? '')?.[1]?.split('; ');
  };
  t.is(changed(3)?.length, 3);
  t.is(changed(3)?.at(-1), 'part2 was "a", is "b"');
  t.is(changed(4)?.length, 4);
  t.is(changed(4)?.at(-1), '1 more');
  t.is(changed(9)?.at(-1), '6 more');
});
