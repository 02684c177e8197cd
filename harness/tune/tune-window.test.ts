// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { halfBusy } from '../../analysis/features/sample-counted.ts';
import type { QueuedWindow, Tuned } from './queue.ts';
import { type Likeness, type TuneParts, tuneWindow } from './tune-window.ts';

const WINDOW: QueuedWindow = {
  key: 'k1',
  at: '2026-01-01T00:00:00Z',
  machine: { engine: 'exact', kernel: '7.3.4', nodes: 1, sockets: 1, cores: 4, threads: 1, cpu: '250 MIPS' },
  counted: halfBusy(),
  vector: [1, 0],
};
const LIKE: Likeness = { workload: 'synth', params: {}, variant: 'profile=x', cosine: 0.97 };

/** Parts that note what they are asked for. */
function scene(given: Partial<TuneParts> = {}): { parts: TuneParts; asked: string[] } {
  const asked: string[] = [];
  const parts: TuneParts = {
    fromTrace: async (_, trace) => {
      asked.push(`trace ${trace}`);
      return { ...LIKE, workload: 'replay' };
    },
    synthesise: async () => {
      asked.push('synthesise');
      return { likeness: LIKE, tries: 9 };
    },
    evaluate: async (_, { workload }) => {
      asked.push(`evaluate ${workload}`);
      return { run: 'tune-k1', cosines: [0.96, 0.95] };
    },
    ask: async () => {
      asked.push('ask');
      return { recommend: 'pmvx_chain', why: 'expected to cost -20 %' };
    },
    now: () => new Date(0),
    ...given,
  };
  return { parts, asked };
}

test('a load is made that looks like the window, every policy runs it, and the map has an answer', async (t) => {
  const { parts, asked } = scene();
  t.like(await tuneWindow(WINDOW, [], parts), {
    ...{ key: 'k1', outcome: 'learnt', workload: 'synth', cosine: 0.97, run: 'tune-k1' },
    recommend: 'pmvx_chain',
  });
  t.deepEqual(asked, ['synthesise', 'evaluate synth', 'ask']);
});

test('a recording is played instead of made up', async (t) => {
  const { parts, asked } = scene();
  const tuned = await tuneWindow({ ...WINDOW, trace: 'a.trace' }, [], parts);
  t.like(tuned, { outcome: 'learnt', workload: 'replay' });
  t.deepEqual(asked, ['trace a.trace', 'evaluate replay', 'ask']);
});

test('what does not look enough like the window teaches the map nothing', async (t) => {
  const near = { ...LIKE, cosine: 0.949 };
  for (const parts of [
    scene({ synthesise: async () => ({ likeness: near, tries: 60 }) }).parts,
    scene({ synthesise: async () => ({ cosine: 0.949, tries: 60 }) }).parts,
  ]) {
    const evaluated = { ...parts, evaluate: () => Promise.reject(new Error('it must not be')) };
    t.like(await tuneWindow(WINDOW, [], evaluated), { outcome: 'unlike', cosine: 0.949, tries: 60 });
  }
  const none = scene({ synthesise: async () => ({ tries: 60 }) });
  const tuned = await tuneWindow(WINDOW, [], none.parts);
  t.false('cosine' in tuned, 'missing is missing');
});

test('a window like one that was learnt is not tuned again; one like a window that failed is', async (t) => {
  const { parts, asked } = scene();
  const close = [Math.cos(0.3), Math.sin(0.3)];
  const learnt = { ...(await tuneWindow(WINDOW, [], parts)), key: 'k0', vector: close } as Tuned;
  asked.length = 0;
  t.like(await tuneWindow(WINDOW, [learnt], parts), { outcome: 'same-as', other: 'k0' });
  t.deepEqual(asked, []);
  const unlike = { ...learnt, outcome: 'unlike', tries: 3 } as Tuned;
  t.is((await tuneWindow(WINDOW, [unlike], parts)).outcome, 'learnt');
});
