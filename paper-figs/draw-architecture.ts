// SPDX-License-Identifier: Apache-2.0
// node paper-figs/draw-architecture.ts: draws the components of this project, those that exist, into paper-figs/rendered.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder, writeAtomic } from '../harness/store/atomic-write.ts';
import { drawDiagram } from './diagram.ts';
import { ARCHITECTURE, existing } from './figures/architecture.ts';
import { drawPdf } from './pdf.ts';
import { drawPng } from './render.ts';

const ROOT = resolve(import.meta.dirname, '..');
const folder = join(ROOT, 'paper-figs', 'rendered');
const title = 'pMVX: policies are evaluated side by side, distilled into a map, and chosen at run time';
const svg = drawDiagram(
  title,
  existing(ARCHITECTURE, (path) => existsSync(join(ROOT, path))),
);
await makeFolder(folder);
await writeAtomic(join(folder, 'architecture.svg'), svg);
await writeAtomic(join(folder, 'architecture.png'), await drawPng(svg));
await writeAtomic(join(folder, 'architecture.pdf'), await drawPdf(svg, 'pMVX architecture'));
