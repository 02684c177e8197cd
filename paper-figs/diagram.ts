// SPDX-License-Identifier: Apache-2.0
import { type Architecture, type Arrow, BOX, type Box, type Side } from './figures/architecture.ts';
import { FONT } from './fonts.ts';

const WIDTH = 1220;
const INK = '#1c2024';
const SOFT = '#595959';
const ROUND = 5;
const HEAD = 7;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A diagram of boxes and arrows as SVG, in the font of all figures. Pure: equal data give equal bytes. */
export function drawDiagram(title: string, { bands, boxes, arrows }: Architecture): string {
  const height = bands.reduce((most, band) => Math.max(most, band.y + band.height), 0) + 12;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(title)}" font-family="${FONT}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text({ x: 12, y: 26 }, title, 16, { bold: true }),
    ...bands.flatMap((band) => [
      `<rect x="12" y="${band.y}" width="${WIDTH - 24}" height="${band.height}" rx="8" fill="${band.colour}"/>`,
      text({ x: 24, y: band.y + 24 }, band.title, 13, { bold: true }),
      text({ x: 104, y: band.y + 24 }, band.says, 11, { colour: SOFT }),
    ]),
    ...arrows.map((arrow) => arrowSvg(arrow, boxes)),
    ...boxes.flatMap(boxSvg),
    '</svg>\n',
  ];
  return parts.join('\n');
}

function boxSvg({ title, does, path, x, y, width = BOX.width }: Box): string[] {
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${BOX.height}" rx="${ROUND}" fill="#ffffff" stroke="${INK}" stroke-width="1.2"/>`,
    text({ x: x + 10, y: y + 20 }, title, 12.5, { bold: true }),
    text({ x: x + 10, y: y + 39 }, does, 9.5, {}),
    text({ x: x + 10, y: y + 58 }, path, 9.5, { colour: '#00508c' }),
  ];
}

function arrowSvg({ from, to, label, sides = ['right', 'left'] }: Arrow, boxes: readonly Box[]): string {
  const [start, end] = [portOf(from, sides[0], boxes), portOf(to, sides[1], boxes)];
  const points = [start, ...corners(start, end, sides), end];
  const before = points.at(-2) as Point;
  const direction = { x: Math.sign(end.x - before.x), y: Math.sign(end.y - before.y) };
  const tail = { x: end.x - direction.x * HEAD, y: end.y - direction.y * HEAD };
  const side = { x: direction.y * 4, y: direction.x * 4 };
  const line = [...points.slice(0, -1), tail].map(({ x, y }) => `${x},${y}`).join(' ');
  const head = [end, { x: tail.x + side.x, y: tail.y + side.y }, { x: tail.x - side.x, y: tail.y - side.y }];
  const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  return [
    `<polyline points="${line}" fill="none" stroke="${INK}" stroke-width="1.4"/>`,
    `<polygon points="${head.map(({ x, y }) => `${x},${y}`).join(' ')}" fill="${INK}"/>`,
    ...(label === undefined
      ? []
      : [text({ x: middle.x, y: middle.y - 6 }, label, 9, { colour: SOFT, middle: true })]),
  ].join('\n');
}

/** Corners of a way that is not straight: out of one side, into the other. */
function corners(start: Point, end: Point, [out, into]: readonly [Side, Side]): Point[] {
  const flat = (side: Side) => side === 'left' || side === 'right';
  if (start.x === end.x && !flat(out)) return [];
  if (start.y === end.y && flat(out)) return [];
  if (flat(out) && flat(into)) {
    if (out === into) {
      const x =
        (out === 'right' ? Math.max(start.x, end.x) : Math.min(start.x, end.x)) +
        (out === 'right' ? 12 : -12);
      return [
        { x, y: start.y },
        { x, y: end.y },
      ];
    }
    const x = (start.x + end.x) / 2;
    return [
      { x, y: start.y },
      { x, y: end.y },
    ];
  }
  if (!flat(out) && !flat(into)) {
    const y = (start.y + end.y) / 2;
    return [
      { x: start.x, y },
      { x: end.x, y },
    ];
  }
  return flat(out) ? [{ x: end.x, y: start.y }] : [{ x: start.x, y: end.y }];
}

function portOf(id: string, side: Side, boxes: readonly Box[]): Point {
  const box = boxes.find((one) => one.id === id);
  if (box === undefined) throw new Error(`an arrow names "${id}", and there is no such box`);
  const { x, y, width = BOX.width } = box;
  if (side === 'left' || side === 'right')
    return { x: side === 'left' ? x : x + width, y: y + BOX.height / 2 };
  return { x: x + width / 2, y: side === 'top' ? y : y + BOX.height };
}

function text(
  { x, y }: Point,
  words: string,
  size: number,
  { bold = false, middle = false, colour = INK }: { bold?: boolean; middle?: boolean; colour?: string },
): string {
  const weight = bold ? ' font-weight="bold"' : '';
  const anchor = middle ? ' text-anchor="middle"' : '';
  return `<text x="${x}" y="${y}" font-size="${size}"${weight}${anchor} fill="${colour}">${escapeXml(words)}</text>`;
}

function escapeXml(words: string): string {
  return words.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
