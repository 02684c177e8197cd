// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial } from '../core/trial.ts';
import type { Engine } from '../lab/engine.ts';
import type { ImageFacts } from '../store/provenance.ts';
import type { CommandContext } from './context.ts';
import { openMockLab } from './mock-lab.ts';

/** What trials run in. */
export interface Lab {
  readonly engine: Engine;
  /** What provenance keeps of the image; empty on `mock`. */
  readonly image: ImageFacts;
}

/** Opens the engine that a spec asks for, with its image proven to be whole. */
export async function openLab(
  spec: Spec,
  trials: readonly PlannedTrial[],
  catalog: Catalog,
  context: CommandContext,
): Promise<Lab> {
  if (spec.machine.engine === 'mock') {
    const trialMs = Number(context.env.PMVX_MOCK_TRIAL_MS ?? 0);
    return { engine: await openMockLab(context.root, trials, catalog, trialMs), image: {} };
  }
  return openRealLab(spec, context);
}

async function openRealLab(spec: Spec, _context: CommandContext): Promise<Lab> {
  throw new PmvxError(ExitCode.environment, {
    where: `engine ${spec.machine.engine}`,
    what: 'this version has no such engine yet',
    next: 'Try the spec with --engine mock.',
  });
}
