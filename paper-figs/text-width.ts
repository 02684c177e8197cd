// SPDX-License-Identifier: Apache-2.0
import { fontFiles } from './fonts.ts';

/** What Vega says about a text that it is about to place. */
interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
  readonly limit?: number;
}

const EM = 1000;

/**
 * Pixels that a text in DejaVu is wide, from the font's own advances. Without a canvas Vega takes every letter for
 * 0.8 em, which puts a third more room around labels than they need.
 */
export async function dejaVuWidth(): Promise<(item: TextItem, text: unknown) => number> {
  const { default: PDFDocument } = await import('pdfkit');
  const document = new PDFDocument({ autoFirstPage: false, compress: false });
  const { plain, bold } = fontFiles();
  const known = { plain: new Map<string, number>(), bold: new Map<string, number>() };
  const widthOf = (face: keyof typeof known, letter: string): number => {
    const width = known[face].get(letter);
    if (width !== undefined) return width;
    const measured = document.font(face === 'bold' ? bold : plain, EM).widthOfString(letter) / EM;
    known[face].set(letter, measured);
    return measured;
  };
  return ({ fontSize = 11, fontWeight, limit = 0 }, text) => {
    const face = fontWeight === 'bold' || Number(fontWeight) >= 600 ? 'bold' : 'plain';
    const letters = [...`${text ?? ''}`.trim()];
    const width = letters.reduce((sum, letter) => sum + widthOf(face, letter), 0) * fontSize;
    return limit > 0 ? Math.min(limit, width) : width;
  };
}
