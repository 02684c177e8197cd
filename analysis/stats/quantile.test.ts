// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { quantile } from './quantile.ts';

test('between two values a quantile is interpolated, as R does by default', (t) => {
  t.is(quantile(Float64Array.of(0, 10), 0.25), 2.5);
  t.is(quantile(Float64Array.of(1, 2, 4, 8), 0.5), 3);
  t.is(quantile(Float64Array.of(1, 2, 4, 8), 1), 8);
});
