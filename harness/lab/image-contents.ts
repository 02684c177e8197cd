// SPDX-License-Identifier: Apache-2.0
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap } from '../core/is-map.ts';
