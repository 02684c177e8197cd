// SPDX-License-Identifier: Apache-2.0
import type { ClaimTest } from './claims.ts';
import type { Evidence, Finding } from './finding.ts';
import { identicalCopies } from './identical-copies.ts';
import { mapRecommends } from './map-recommends.ts';
import { noHarm } from './no-harm.ts';
import { otherSubsystems } from './other-subsystems.ts';
import { replayLearns } from './replay-learns.ts';
import { replaySwitches } from './replay-switches.ts';
import { replayWins } from './replay-wins.ts';
import { selectionGains } from './selection-gains.ts';
import { vectorsTellApart } from './vectors-tell-apart.ts';

/** What the evidence says of a claim: the only place where a verdict comes from. */
export function judgeClaim(test: ClaimTest, evidence: Evidence): Finding {
  switch (test.kind) {
    case 'identical-copies':
      return identicalCopies(test, evidence);
    case 'selection-gains':
      return selectionGains(test, evidence);
    case 'no-harm':
      return noHarm(test, evidence);
    case 'other-subsystems':
      return otherSubsystems(test, evidence);
    case 'vectors-tell-apart':
      return vectorsTellApart(test, evidence);
    case 'map-recommends':
      return mapRecommends(test, evidence);
    case 'replay-wins':
      return replayWins(test, evidence);
    case 'replay-switches':
      return replaySwitches(test, evidence);
    case 'replay-learns':
      return replayLearns(test, evidence);
    case 'not-testable':
      return { verdict: 'not testable', because: [test.why], numbers: {} };
  }
}
