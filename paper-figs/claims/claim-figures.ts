// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { similarityRows } from '../../analysis/features/similarity-rows.ts';
import { pickRows } from '../../analysis/policy-map/evaluate/pick-rows.ts';
import type { StoredRun } from '../../harness/store/run-folder.ts';
import { recommendationPlot } from '../figures/recommendations.ts';
import { similarityPlot } from '../figures/similarity.ts';
import { runFigures, tableOf } from '../run-figures.ts';
import { type Claim, experimentsOf } from './claims.ts';
import type { Evidence } from './finding.ts';

/** A drawn figure under the name of its files, and what it shows. */
export interface ClaimFigure {
  readonly name: string;
  readonly alt: string;
  readonly spec: TopLevelSpec;
}

/** The figures of a claim for which there are data, in order. A name stands for one figure, whichever claim asks for it. */
export function claimFigures(
  claim: Claim,
  runs: ReadonlyMap<string, StoredRun>,
  evidence: Evidence,
): readonly ClaimFigure[] {
  return claim.figures.flatMap(({ kind, of }): ClaimFigure[] => {
    const own = (spec: TopLevelSpec | undefined): ClaimFigure[] =>
      spec === undefined ? [] : [{ name: `${of}-${kind}`, alt: `${kind} of ${of}`, spec }];
    if (kind === 'similarity') {
      const vectors = experimentsOf(claim.test).flatMap((name) => evidence.vectors.get(name) ?? []);
      return own(similarityPlot(similarityRows(vectors), of));
    }
    if (kind === 'recommendations') {
      return own(recommendationPlot(pickRows(evidence.situations.get(of) ?? []), of));
    }
    const run = runs.get(of);
    const figures = run === undefined ? [] : runFigures({ table: tableOf(run) }, [kind]);
    return figures.flatMap((figure) =>
      'spec' in figure
        ? [{ name: `${of}-${figure.name}`, alt: `${figure.id} of ${of}`, spec: figure.spec }]
        : [],
    );
  });
}
