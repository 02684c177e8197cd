// SPDX-License-Identifier: Apache-2.0
import { type Catalog, FOLDERS } from '../core/catalog.ts';
import { ExitCode, type Fault, PmvxError } from '../core/errors.ts';
import type { ImageManifest } from '../lab/image.ts';

/** Throws where an image was built without what these policies and workloads run, with the compiler's own words. */
export function requireBuilt(
  { recipe, left = {} }: Pick<ImageManifest, 'recipe' | 'left'>,
  wanted: { readonly policies: readonly string[]; readonly workloads: readonly string[] },
  { policies }: Pick<Catalog, 'policies'>,
): void {
  const fault = (who: string, key: string): Fault[] => {
    const why = left[key];
    if (why === undefined) return [];
    const what = `image ${recipe} was built without ${who}: ${why.split('\n')[0]}`;
    return [{ what, next: `Correct it and run \`./pmvx image build ${recipe}\`, or leave it out` }];
  };
  const faults = [
    ...new Set(wanted.policies).values().flatMap((id) => {
      const definition = policies.get(id)?.definition;
      const crate = definition?.kind === 'process' ? definition.crate?.replace(/@.*$/, '') : undefined;
      return [
        ...fault(`policy ${id}`, `${FOLDERS.policy}/${id}`),
        ...(crate === undefined ? [] : fault(`policy ${id}`, crate)),
      ];
    }),
    ...new Set(wanted.workloads)
      .values()
      .flatMap((id) => fault(`workload ${id}`, `${FOLDERS.workload}/${id}`)),
  ];
  if (faults.length > 0) throw new PmvxError(ExitCode.image, faults);
}
