// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The one font of all figures, from a package, so that they look the same on every machine. */
export const FONT = 'DejaVu Sans';

/** Its files. */
export function fontFiles(): { readonly plain: string; readonly bold: string; readonly italic: string } {
  const folder = dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json'));
  const file = (name: string) => join(folder, 'ttf', name);
  return {
    plain: file('DejaVuSans.ttf'),
    bold: file('DejaVuSans-Bold.ttf'),
    italic: file('DejaVuSans-Oblique.ttf'),
  };
}
