// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Claim } from '../../paper-figs/claims/claims.ts';
import type { Finding } from '../../paper-figs/claims/finding.ts';
import {
  formatReproduction,
  type JudgedClaim,
  type RunSource,
} from '../../paper-figs/claims/reproduction.ts';
import { type RunFigure, runFigures } from '../../paper-figs/run-figures.ts';
import { makeFolder, stableJson, writeAtomic } from '../store/atomic-write.ts';
import type { StoredRun } from '../store/run-folder.ts';
import { writeFigure } from './figures.ts';

/** Below paper-figs; the document beside it shows what is in it. */
const RENDERED = 'rendered';

interface PaperInput {
  readonly runs: ReadonlyMap<string, StoredRun>;
  readonly sources: readonly RunSource[];
  readonly command: string;
  /** Folder of the project. */
  readonly root: string;
}

/** Draws the figures of all claims, each once, and writes `REPRODUCTION.md` and `verdicts.json`; gives their paths. */
export async function writePaper(
  findings: readonly { readonly claim: Claim; readonly finding: Finding }[],
  { runs, sources, command, root }: PaperInput,
): Promise<readonly string[]> {
  const place = join(root, 'paper-figs');
  await makeFolder(join(place, RENDERED));
  const drawn = new Map<string, JudgedClaim['figures']>();
  const draw = async (kind: Claim['figures'][number]): Promise<JudgedClaim['figures']> => {
    const key = `${kind.of}-${kind.kind}`;
    const before = drawn.get(key);
    if (before !== undefined) return before;
    const run = runs.get(kind.of);
    const figures = run === undefined ? [] : runFigures({ run }, [kind.kind]);
    const files = [];
    for (const figure of figures) if ('spec' in figure) files.push(await drawOne(figure, kind.of, place));
    drawn.set(key, files);
    return files;
  };
  const judged: JudgedClaim[] = [];
  for (const { claim, finding } of findings) {
    const figures = [];
    for (const figure of claim.figures) figures.push(...(await draw(figure)));
    judged.push({ claim, finding, figures });
  }
  const text = join(place, 'REPRODUCTION.md');
  await writeAtomic(text, formatReproduction({ judged, sources, command }));
  const data = join(place, 'verdicts.json');
  const verdicts = judged.map(({ claim: { id }, finding }) => ({ id, ...finding }));
  await writeAtomic(data, stableJson({ v: 1, command, sources, verdicts }));
  return [text, data];
}

async function drawOne(
  figure: Extract<RunFigure, { spec: unknown }>,
  experiment: string,
  place: string,
): Promise<JudgedClaim['figures'][number]> {
  const name = `${experiment}-${figure.name}`;
  await writeFigure({ ...figure, name }, join(place, RENDERED));
  return { file: `${RENDERED}/${name}.png`, alt: `${figure.id} of ${experiment}` };
}
