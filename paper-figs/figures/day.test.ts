// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { compileFigure } from '../render.ts';
import { dayFigure } from './day.ts';

const DAY = {
  day: 'sample',
  block: 0,
  stretches: [
    { band: 'phase' as const, what: 'messages', from: 0, to: 4 },
    { band: 'phase' as const, what: 'a-name-that-is-far-too-long', from: 4, to: 4.1 },
    { band: 'looks like' as const, what: 'hackbench', from: 0, to: 4 },
    { band: 'policy' as const, what: 'eevdf', from: 0, to: 0.5 },
    { band: 'policy' as const, what: 'pmvx_chain', from: 0.5, to: 4.1 },
  ],
  paces: [
    { arm: 'auto', phase: 'messages', from: 0, to: 2, speedup: 1.3 },
    { arm: 'oracle', phase: 'messages', from: 0, to: 2, speedup: 1.5 },
  ],
};

test('a day is drawn by Vega-Lite without a complaint, and equal rows give an equal spec', async (t) => {
  const spec = dayFigure(DAY);
  t.deepEqual(dayFigure(structuredClone(DAY)), spec);
  t.truthy(await compileFigure(spec));
});

test('a stretch that is too short for its name has no label, and EEVDF recedes', (t) => {
  const text = JSON.stringify(dayFigure(DAY));
  const labels = [...text.matchAll(/"what":"([^"]+)","from":[\d.]+,"to":[\d.]+,"middle"/g)].map(
    ([, what]) => what,
  );
  t.deepEqual(labels, ['messages', 'hackbench', 'eevdf', 'pmvx_chain']);
  t.true(text.includes('"domain":["eevdf","pmvx_chain"],"range":["#cfcfcf","#0072B2"]'));
});
