// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';

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
  // Loaded here, because they take half a second that most commands do not need.
  const [vega, vegaLite, { Resvg }] = await Promise.all([
    import('vega'),
    import('vega-lite'),
    import('@resvg/resvg-js'),
  ]);
  const compiled = vegaLite.compile(spec, { logger: strictLogger(vega) }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  const svg = `${await view.toSVG()}\n`;
  view.finalize();
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: 2 },
    background: '#ffffff',
    font: { loadSystemFonts: false, fontFiles: fontFiles(), defaultFontFamily: 'DejaVu Sans' },
  });
  return { svg, png: image.render().asPng() };
}

function fontFiles(): string[] {
  const folder = dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json'));
  return ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSans-Oblique.ttf'].map((file) =>
    join(folder, 'ttf', file),
  );
}

/** A warning of the compiler is a fault of the figure: it means that something was left out. */
function strictLogger(vega: typeof import('vega')) {
  const logger = vega.logger(vega.Warn);
  logger.warn = (...words: readonly unknown[]) => {
    throw new Error(`the figure's spec is not clean: ${words.join(' ')}`);
  };
  return logger;
}
