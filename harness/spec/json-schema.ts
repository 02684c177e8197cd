// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { RawSpec } from './raw-spec.ts';

/** JSON Schema (2020-12) of a spec as written, for completion and checks in editors. */
export function specJsonSchema(): Readonly<Record<string, unknown>> {
  return { title: 'pMVX experiment', ...z.toJSONSchema(RawSpec, { io: 'input' }) };
}
