// SPDX-License-Identifier: Apache-2.0
import { fontFiles } from './fonts.ts';

/** Points of a PDF to a pixel of an SVG. */
const POINTS = 0.75;

/**
 * A figure as a PDF of one page of its size: lines stay lines, text stays text, DejaVu is embedded. Equal SVGs give
 * equal bytes: no date, and an id that follows from the contents of the document's information.
 */
export async function drawPdf(svg: string, title: string): Promise<Buffer> {
  const [{ default: PDFDocument }, { default: addSvg }] = await Promise.all([
    import('pdfkit'),
    import('svg-to-pdfkit'),
  ]);
  const { width, height } = sizeOf(svg);
  const size: [number, number] = [width * POINTS, height * POINTS];
  const document = new PDFDocument({
    size,
    margin: 0,
    // A date is part of the file's id: the first of all dates stands for none.
    info: { Title: title, Producer: 'pmvx', Creator: 'pmvx', CreationDate: new Date(0) },
  });
  const parts: Buffer[] = [];
  const whole = new Promise<Buffer>((resolve, reject) => {
    document.on('data', (part: Buffer) => parts.push(part));
    document.on('end', () => resolve(Buffer.concat(parts)));
    document.on('error', reject);
  });
  const { plain, bold, italic } = fontFiles();
  document.registerFont('plain', plain).registerFont('bold', bold).registerFont('italic', italic);
  addSvg(document, svg, 0, 0, {
    width: size[0],
    height: size[1],
    fontCallback: (_family, isBold, isItalic) => (isBold ? 'bold' : isItalic ? 'italic' : 'plain'),
    warningCallback: (words) => {
      throw new Error(`the figure cannot become a PDF: ${words}`);
    },
  });
  document.end();
  return whole;
}

function sizeOf(svg: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /<svg[^>]*\swidth="([\d.]+)"[^>]*\sheight="([\d.]+)"/.exec(svg) ?? [];
  if (width === undefined || height === undefined) throw new Error('the figure has no size');
  return { width: Number(width), height: Number(height) };
}
