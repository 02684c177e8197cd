// SPDX-License-Identifier: Apache-2.0
import type { Spec as VegaSpec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { FONT, fontFiles } from './fonts.ts';
import { dejaVuWidth } from './text-width.ts';

/** One figure in the two forms that people open. */
export interface Rendered {
  readonly svg: string;
  readonly png: Buffer;
}

/**
 * Draws a Vega-Lite spec, without a browser or a canvas. The PNG uses the bundled DejaVu fonts alone, so equal
 * specs give equal bytes on every machine; the spec must ask for `DejaVu Sans`.
 */
export async function renderFigure(spec: TopLevelSpec): Promise<Rendered> {
  const svg = await drawSvg(spec);
  return { svg, png: await drawPng(svg) };
}

let measuring: Promise<void> | undefined;

/** The figure as SVG, with its text as text. */
export async function drawSvg(spec: TopLevelSpec): Promise<string> {
  const vega = await import('vega');
  measuring ??= dejaVuWidth().then((width) => {
    (vega as unknown as { textMetrics: { width: typeof width } }).textMetrics.width = width;
  });
  await measuring;
  const view = new vega.View(vega.parse(await compileFigure(spec)), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${renumbered(svg)}\n`;
}

/** Vega counts clips and gradients over all figures of a process; here each figure counts from 0. */
function renumbered(svg: string): string {
  const ids = new Map<string, string>();
  return svg.replace(
    /( id="|url\(#)(clip|gradient_)(\d+)/g,
    (_all, before: string, kind: string, count: string) => {
      const old = `${kind}${count}`;
      const id = ids.get(old) ?? `${kind}${ids.size}`;
      ids.set(old, id);
      return `${before}${id}`;
    },
  );
}

/** The Vega spec that a Vega-Lite spec stands for. Throws when the compiler had to leave something out. */
export async function compileFigure(spec: TopLevelSpec): Promise<VegaSpec> {
  // Loaded here, because they take half a second that most commands do not need.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  return vegaLite.compile(spec, { logger: strictLogger(vega) }).spec;
}

/** Twice as many pixels as the SVG is wide and high. */
export async function drawPng(svg: string): Promise<Buffer> {
  const { Resvg } = await import('@resvg/resvg-js');
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: 2 },
    background: '#ffffff',
    font: { loadSystemFonts: false, fontFiles: Object.values(fontFiles()), defaultFontFamily: FONT },
  });
  return image.render().asPng();
}

/** A warning of the compiler is a fault of the figure: it means that something was left out. */
function strictLogger(vega: typeof import('vega')) {
  const logger = vega.logger(vega.Warn);
  logger.warn = (...words: readonly unknown[]) => {
    throw new Error(`the figure's spec is not clean: ${words.join(' ')}`);
  };
  return logger;
}
