// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { drawDiagram } from '../diagram.ts';
import { ARCHITECTURE, BOX, type Box, existing } from './architecture.ts';

const ROOT = resolve(import.meta.dirname, '../..');

test('every component of the committed figure exists', (t) => {
  const svg = readFileSync(join(ROOT, 'paper-figs/rendered/architecture.svg'), 'utf8');
  const drawn = ARCHITECTURE.boxes.filter(({ path }) => svg.includes(`>${path}</text>`));
  t.true(drawn.length >= 12, `${drawn.length}`);
  t.is(svg.match(/fill="#00508c"/g)?.length, drawn.length);
  for (const { path } of drawn) t.true(existsSync(join(ROOT, path)), path);
});

test('what does not exist is not drawn, nor any arrow to it', (t) => {
  const left = existing(ARCHITECTURE, (path) => path !== 'harness/lab');
  t.is(left.boxes.length, ARCHITECTURE.boxes.length - 1);
  t.false(left.arrows.some(({ from, to }) => from === 'lab' || to === 'lab'));
  t.deepEqual(
    existing(ARCHITECTURE, () => false),
    { bands: [], boxes: [], arrows: [] },
  );
});

test('boxes do not overlap, lie in a band, and every arrow joins two of them', (t) => {
  const { boxes, arrows, bands } = ARCHITECTURE;
  const apart = (a: Box, b: Box) => Math.abs(a.x - b.x) >= BOX.width || Math.abs(a.y - b.y) >= BOX.height;
  for (const [at, box] of boxes.entries()) {
    t.true(
      boxes.slice(at + 1).every((other) => apart(box, other)),
      box.id,
    );
    t.true(
      bands.some(({ y, height }) => box.y > y && box.y + BOX.height < y + height),
      box.id,
    );
  }
  const ids = new Set(boxes.map(({ id }) => id));
  t.is(ids.size, boxes.length);
  t.true(arrows.every(({ from, to }) => ids.has(from) && ids.has(to)));
});

test('equal data give equal bytes, and words are escaped', (t) => {
  t.is(drawDiagram('a < b', ARCHITECTURE), drawDiagram('a < b', ARCHITECTURE));
  t.true(drawDiagram('a < b', ARCHITECTURE).includes('>a &#60; b</text>'));
});
