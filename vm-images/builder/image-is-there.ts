// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { imageFolder } from '../../harness/lab/image.ts';
import { cacheFolder, IMAGE_FILES } from '../../harness/lab/image-files.ts';

/**
 * `image-is-there.ts ROOT RECIPE`: exit code 0 unless the image of a recipe is still to be built from what is in ROOT. A recipe that cannot
 * be read is 0, too: the command itself says what is wrong with it, before it needs anything.
 */
const [root = '', recipe = ''] = process.argv.slice(2);
const folder = await imageFolder(root, cacheFolder(process.env), recipe).catch(() => undefined);
process.exitCode = folder === undefined || existsSync(join(folder, IMAGE_FILES.manifest)) ? 0 : 1;
