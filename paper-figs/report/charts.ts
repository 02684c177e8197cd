// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { compileFigure } from '../render.ts';
import { html, jsonForScript, Markup } from './html.ts';

/** The page's own fonts: the reader's machine need not have those of the drawn figures. */
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif';

export interface Chart {
  readonly spec: TopLevelSpec;
  /** What the chart shows, for those who do not see it. */
  readonly alt: string;
  readonly caption?: Markup;
}

/**
 * A chart that the page draws: the compiled Vega spec as data beside an empty box. Its title is the page's heading, so it is
 * taken out; what the title says besides becomes the caption.
 */
export async function chartHtml({ spec, alt, caption }: Chart): Promise<Markup> {
  const { title, config, ...rest } = spec;
  const own = { ...config, font: FONT, background: 'transparent' };
  const compiled = await compileFigure({ ...rest, config: own } as TopLevelSpec);
  const words = caption ?? html`${subtitleOf(title).join(' ')}`;
  return html`<figure>
<div class="chart scroll" tabindex="0" role="img" aria-label="${alt}"></div>
<script type="application/json">${new Markup(jsonForScript(compiled))}</script>
<figcaption>${words}</figcaption>
</figure>
`;
}

function subtitleOf(title: TopLevelSpec['title']): string[] {
  const subtitle =
    typeof title === 'object' && title !== null && 'subtitle' in title ? title.subtitle : undefined;
  return Array.isArray(subtitle) ? subtitle.map(String) : [];
}
