// SPDX-License-Identifier: Apache-2.0
import type { EngineName } from '../core/trial.ts';
import type { Engine } from './engine.ts';
import type { ReadyImage } from './image.ts';
import { defaultHostDeadlineMs, vmEngine } from './vm-engine.ts';

/** The engine of that name, on an image. */
export function openEngine(name: Exclude<EngineName, 'mock'>, image: ReadyImage): Engine {
  return vmEngine(name, image, { hostDeadlineMs: defaultHostDeadlineMs });
}
