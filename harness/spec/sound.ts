// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import { isMap } from './is-map.ts';

/** The fields of a map that fit its schema one by one, with defaults; those that do not fit are absent. */
export function soundFields<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  value: unknown,
): Partial<z.output<z.ZodObject<Shape>>> {
  const given = isMap(value) ? value : {};
  const fields: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(schema.shape) as [string, z.ZodType][]) {
    const result = field.safeParse(Object.hasOwn(given, key) ? given[key] : undefined);
    if (result.success) fields[key] = result.data;
  }
  return fields as Partial<z.output<z.ZodObject<Shape>>>;
}
