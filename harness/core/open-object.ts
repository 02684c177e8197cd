// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

/**
 * An object of which a later version may know more members: parsing keeps those, and the inferred type names only
 * the members of `shape`, so that a misspelt name is still an error of the compiler.
 */
export function openObject<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape> {
  return z.looseObject(shape) as unknown as z.ZodObject<Shape>;
}

/** `T` with every member read-only, at any depth. */
export type Frozen<T> = T extends object ? { readonly [Name in keyof T]: Frozen<T[Name]> } : T;
