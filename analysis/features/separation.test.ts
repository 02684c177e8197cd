// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type LabelledVector, separationOf } from './separation.ts';

const at = (workload: string, configuration: string, degrees: number): LabelledVector => {
  const angle = (degrees / 180) * Math.PI;
  return { workload, configuration, values: [Math.cos(angle), Math.sin(angle)] };
};

test('two workloads at right angles are told apart', (t) => {
  const found = separationOf([at('a', '1', 0), at('a', '2', 0), at('b', '1', 90), at('b', '2', 90)]);
  t.is(found.within?.pairs, 2);
  t.is(found.within?.median, 1);
  t.is(found.between?.pairs, 4);
  t.true(Math.abs(found.between?.median ?? 1) < 1e-12);
  t.is(found.silhouette, 1);
  t.is(found.accuracy, 1);
});

test('the same configuration with another seed is no neighbour', (t) => {
  // The second seed of a1 is right beside; of the other configurations b is nearer than a2.
  const found = separationOf([at('a', '1', 0), at('a', '1', 1), at('a', '2', 60), at('b', '1', 30)]);
  t.is(found.nearest[0]?.counts.get('b'), 3);
  t.is(found.nearest[0]?.configurations, 2);
  t.is(found.accuracy, 0);
  t.is(found.within?.pairs, 2);
});

test('a workload with one configuration is not judged, but can be confused with', (t) => {
  const found = separationOf([at('a', '1', 0), at('a', '2', 10), at('b', '1', 90)]);
  t.is(found.accuracy, 1);
  t.is(found.nearest[1]?.counts.size, 0);
  // a = 1 - cos 10, b = 1 - cos 90 or 80, worked out by hand.
  const [a, b1, b2] = [1 - Math.cos(Math.PI / 18), 1, 1 - Math.cos((80 / 180) * Math.PI)];
  t.true(Math.abs((found.silhouette ?? 0) - ((b1 - a) / b1 + (b2 - a) / b2) / 2) < 1e-12);
});

test('nothing can be said about one vector', (t) => {
  const found = separationOf([at('a', '1', 0)]);
  t.is(found.within, undefined);
  t.is(found.accuracy, undefined);
  t.is(found.silhouette, undefined);
});
