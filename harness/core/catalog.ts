// SPDX-License-Identifier: Apache-2.0
import type { ImageContents } from './image-contents.ts';
import type { Policy } from './policy.ts';
import type { Workload } from './workload.ts';

/** Every workload, policy and image recipe that exists, found by their folders; keys are ids, sorted. */
export interface Catalog {
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly policies: ReadonlyMap<string, Policy>;
  /** Names of `vm-images/recipes/*.yaml`. */
  readonly recipes: readonly string[];
  /** What each recipe resolves to; nothing is asked of images that are not here. */
  readonly images?: ReadonlyMap<string, ImageContents>;
}
