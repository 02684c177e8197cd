// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/ids.ts';
import { differences, formatDifference } from '../../run/differences.ts';
import { isDeterministic } from './same-result.ts';

/** What decides the figures of a part. */
export interface LabOfPart {
  /** How messages call it. */
  readonly name: string;
  readonly part: Pick<import('./part.ts').Part, 'spec' | 'plan' | 'provenance' | 'nodes'>;
}

/** What parts must agree about, and why. */
const AGREE: readonly (readonly [what: string, of: (lab: LabOfPart['part']) => unknown, why: string])[] = [
  ['spec', ({ spec }) => spec, 'they are different experiments'],
  ['plan', ({ plan }) => plan.digest, 'their versions plan the spec in other ways'],
  ['image', ({ provenance: { image } }) => image.digests, 'each has its own kernel, programs and emulator'],
  [
    'definitions',
    ({ provenance }) => provenance.definitions,
    'a policy.yaml or workload.yaml is not the same in both',
  ],
  [
    'version of pmvx',
    ({ provenance: { pmvx } }) => ({ version: pmvx.version, commit: pmvx.commit }),
    'each may judge trials in its own way',
  ],
  ['hosts', hostsThatMatter, 'in real time figures of different processors and kernels are no repeats'],
];

/** In real time the processor and the kernel of each host are in its figures; on a deterministic engine nothing of it is. */
function hostsThatMatter({ spec, nodes, provenance: { host } }: LabOfPart['part']): unknown {
  if (isDeterministic(spec.machine.engine)) return undefined;
  const seen = Object.values(nodes).map(({ cpuModel, kernel }) => canonicalJson({ cpuModel, kernel }));
  const { cpuModel, kernel } = host;
  return [...new Set(seen.length > 0 ? seen : [canonicalJson({ cpuModel, kernel })])].sort();
}

/** In words, each thing that parts do not agree about: the first part that differs stands for all. */
export function labDifferences(labs: readonly LabOfPart[]): string[] {
  const [first, ...others] = labs;
  if (first === undefined) return [];
  return AGREE.flatMap(([what, of, why]) => {
    for (const other of others) {
      const [found] = differences(asJson(of(first.part)), asJson(of(other.part)));
      if (found !== undefined) {
        const path = found.path === '' ? { ...found, path: what } : found;
        return [`${other.name} has another ${what} than ${first.name} (${formatDifference(path)}): ${why}`];
      }
    }
    return [];
  });
}

/** Refuses parts of labs that differ. */
export function requireOneLab(labs: readonly LabOfPart[]): void {
  const found = labDifferences(labs);
  if (found.length === 0) return;
  throw new PmvxError(
    ExitCode.usage,
    found.map((what) => ({
      what,
      next: 'Leave one of them out, or give --mixed to put them together all the same',
    })),
  );
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
