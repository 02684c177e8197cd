// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { exactSpeed, exactSpeeds, nearestSpeeds } from './speed.ts';

test('speeds of a vCPU are halves of each other, from 1000 million instructions a second of all', (t) => {
  const speeds = exactSpeeds(4);
  t.is(speeds.length, 11);
  t.deepEqual([speeds[0], speeds[1], speeds.at(-1)], [250, 125, 1000 / 1024 / 4]);
});

test('a number of six digits means the speed that it is near to, and no other', (t) => {
  t.is(exactSpeed(333.333, 3), 1000 / 3);
  t.is(exactSpeed(83.3333, 3), 1000 / 12);
  t.is(exactSpeed(250, 4), 250);
  t.is(exactSpeed(250.01, 4), undefined);
  t.is(exactSpeed(249.99, 4), undefined);
  t.is(exactSpeed(200, 4), undefined);
});

test('the speeds around a number are the next below and above; beyond the ends there is one', (t) => {
  t.deepEqual(nearestSpeeds(200, 4), [125, 250]);
  t.deepEqual(nearestSpeeds(125, 4), [125, 250], 'a speed itself is the lower one');
  t.deepEqual(nearestSpeeds(9999, 4), [250]);
  t.deepEqual(nearestSpeeds(0.001, 4), [1000 / 1024 / 4]);
});
