// SPDX-License-Identifier: Apache-2.0
import { loadCatalog } from '../../core/load-catalog.ts';
import type { Target } from './target.ts';
import { configTarget } from './targets/config.ts';
import { dayTarget } from './targets/day.ts';
import { evidenceTarget } from './targets/evidence.ts';
import { framesTarget } from './targets/frames.ts';
import { monitorTarget } from './targets/monitor.ts';
import { recordingTarget } from './targets/recording.ts';
import { specTarget } from './targets/spec.ts';
import { traceTarget } from './targets/trace.ts';
import { trialLogTarget } from './targets/trial-log.ts';

/** Everything that reads what others wrote, with its share of all inputs: what is quick, or met most, gets more. */
export async function allTargets(
  root: string,
): Promise<readonly { readonly target: Target; readonly share: number }[]> {
  const catalog = await loadCatalog(root);
  return [
    { target: specTarget(root, catalog), share: 0.2 },
    { target: dayTarget(root, catalog), share: 0.05 },
    { target: configTarget(root), share: 0.05 },
    { target: framesTarget(catalog), share: 0.2 },
    { target: monitorTarget(), share: 0.05 },
    { target: trialLogTarget(root), share: 0.15 },
    { target: evidenceTarget(), share: 0.15 },
    { target: traceTarget(root), share: 0.1 },
    { target: recordingTarget(), share: 0.05 },
  ];
}
