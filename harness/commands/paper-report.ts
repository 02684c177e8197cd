// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { claimFigures } from '../../paper-figs/claims/claim-figures.ts';
import type { Claim } from '../../paper-figs/claims/claims.ts';
import type { Evidence, Finding } from '../../paper-figs/claims/finding.ts';
import {
  formatReproduction,
  type JudgedClaim,
  type RunSource,
} from '../../paper-figs/claims/reproduction.ts';
import { makeFolder, stableJson, writeAtomic } from '../store/atomic-write.ts';
import type { StoredRun } from '../store/run-folder.ts';
import { writeFigure } from './figures.ts';

/** Beside the document, which shows what is in it. */
const RENDERED = 'rendered';

interface PaperInput {
  readonly runs: ReadonlyMap<string, StoredRun>;
  readonly evidence: Evidence;
  readonly sources: readonly RunSource[];
  readonly command: string;
  /** Folder of the document. */
  readonly place: string;
}

/** Draws the figures of all claims, each once, and writes `REPRODUCTION.md` and `verdicts.json`; gives their paths. */
export async function writePaper(
  findings: readonly { readonly claim: Claim; readonly finding: Finding }[],
  { runs, evidence, sources, command, place }: PaperInput,
): Promise<readonly string[]> {
  await makeFolder(join(place, RENDERED));
  const drawn = new Set<string>();
  const judged: JudgedClaim[] = [];
  for (const { claim, finding } of findings) {
    const figures = claimFigures(claim, runs, evidence);
    for (const { name, spec } of figures) {
      if (!drawn.has(name)) await writeFigure({ name, spec }, join(place, RENDERED));
      drawn.add(name);
    }
    const files = figures.map(({ name, alt }) => ({ file: `${RENDERED}/${name}.png`, alt }));
    judged.push({ claim, finding, figures: files });
  }
  const text = join(place, 'REPRODUCTION.md');
  await writeAtomic(text, formatReproduction({ judged, sources, command }));
  const data = join(place, 'verdicts.json');
  const verdicts = judged.map(({ claim: { id }, finding }) => ({ id, ...finding }));
  await writeAtomic(data, stableJson({ v: 1, command, sources, verdicts }));
  return [text, data];
}
