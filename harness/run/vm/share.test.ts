// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { inShare } from './share.ts';

test('shares of a list are disjoint and together all of it', (t) => {
  const list = [...'abcdefg'];
  t.deepEqual(
    ['1/3', '2/3', '3/3'].map((share) => list.filter(inShare(share)).join('')),
    ['adg', 'be', 'cf'],
  );
  t.deepEqual(list.filter(inShare('1/1')), list);
});

for (const wrong of ['0/2', '3/2', '1', '1/0', '-1/2', '1/2/3', '']) {
  test(`"${wrong}" is no share`, (t) => {
    t.throws(() => inShare(wrong), {
      message: `a share is K/N with K from 1 to N, got ${JSON.stringify(wrong)}`,
    });
  });
}
