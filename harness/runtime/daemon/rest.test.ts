// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { EEVDF } from '../contracts.ts';
import { openScene } from './scene.ts';

test('a sensor may rest after windows that change nothing, and not while a switch is in the air or not yet judged', async (t) => {
  const { live, stop, calm, daemon } = openScene();
  await live([{ wants: EEVDF }, { wants: EEVDF }]);
  t.is(calm(), 2);
  await live([{ wants: 'a' }]);
  t.is(calm(), -2, 'somebody else was named, and may be again');
  await live([{ wants: EEVDF }, { wants: EEVDF }]);
  t.is(calm(), 0);
  await live([{ wants: 'a' }, { wants: 'a' }, { wants: 'a' }]);
  t.is(daemon.state.policy, 'a');
  t.is(calm(), 0, 'a switch was made');
  // One window settles, three are judged.
  await live([{ wants: 'a' }, { wants: 'a' }, { wants: 'a' }]);
  t.is(calm(), 0);
  await live([{ wants: 'a' }, { wants: 'a' }]);
  t.is(calm(), 2);
  await daemon.serial(() => daemon.kill('enough'));
  t.is(calm(), 0, 'something happened');
  await live([{ wants: 'a' }]);
  t.is(calm(), 1, 'nothing is to be done while the latch is closed');
  await stop();
});
