// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { didYouMean, nearest } from './nearest.ts';

const policies = ['eevdf', 'scx_simple', 'scx_flatcg'];

test('a slip of the fingers finds the name that was meant', (t) => {
  t.is(nearest('scx_simpel', policies), 'scx_simple');
  t.is(nearest('SCX_FLATCG', policies), 'scx_flatcg');
  t.is(nearest('eedvf', policies), 'eevdf');
});

test('another word is not taken for a slip', (t) => {
  t.is(nearest('lavd', policies), undefined);
  t.is(nearest('x', []), undefined);
  t.is(nearest('scx_bpfland', ['scx_userland']), undefined);
});

test('the next step names the likely candidate, or all of them', (t) => {
  t.is(didYouMean('eevd', policies), 'Did you mean eevdf?');
  t.is(didYouMean('lavd', policies), 'Known are: eevdf, scx_simple, scx_flatcg');
  t.is(didYouMean('lavd', []), 'There is none to choose from');
});
