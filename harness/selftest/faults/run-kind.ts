// SPDX-License-Identifier: Apache-2.0
import type { Draw } from '../draw.ts';
import { recover, type Strike } from './disturbed-run.ts';
import type { Kind } from './kind.ts';
import type { RunScene } from './scene.ts';
import type { Undisturbed } from './undisturbed.ts';

/** One way to disturb a run. */
export interface RunKind {
  readonly name: string;
  readonly about: string;
  /** How often among the kinds of its engine; 0 for never. */
  readonly weight: { readonly mock: number; readonly exact: number };
  obstacle?(): string | undefined;
  /** Starts the run and disturbs it. */
  strike(scene: RunScene, draw: Draw): Promise<Strike>;
}

/** What kinds of faults of runs need: new scenes, and what each comes to when nothing happens. */
export interface RunLab {
  readonly engine: 'mock' | 'exact';
  open(folder: string, draw: Draw): Promise<{ readonly scene: RunScene; readonly base: Undisturbed }>;
}

/** Makes the kinds that can happen on an engine kinds of the campaign. */
export function kindsOn(lab: RunLab, kinds: readonly RunKind[]): Kind[] {
  return kinds
    .filter((kind) => kind.weight[lab.engine] > 0)
    .map(({ name, about, weight, obstacle, strike }) => ({
      name,
      about,
      subject: lab.engine,
      weight: weight[lab.engine],
      ...(obstacle === undefined ? {} : { obstacle }),
      async run({ folder, draw }) {
        const { scene, base } = await lab.open(folder, draw);
        try {
          return await recover(scene, base, await strike(scene, draw));
        } finally {
          for (const undo of scene.undo.toReversed()) await undo();
        }
      },
    }));
}
