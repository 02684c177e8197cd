// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunLab } from './run-kind.ts';
import { type RunScene, runScene } from './scene.ts';
import { type Undisturbed, undisturbed } from './undisturbed.ts';

/** Runs without any machine: what is tried is the controller, the store, and what they start. */
const SPECS: Readonly<Record<string, { readonly total: number; readonly text: string }>> = {
  whole: {
    total: 24,
    text: `
name: whole
image: quick
policies: [eevdf, scx_simple]
workloads: [{ use: hackbench }, { use: perf-sched-pipe }]
machine: { engine: mock }
seeds: { base: 5, count: 4 }
controls: [aa]
`,
  },
  // Stops by itself after its first look.
  early: {
    total: 12,
    text: `
name: early
image: quick
policies: [eevdf, scx_simple]
workloads: [{ use: hackbench }]
machine: { engine: mock }
seeds: { base: 6, count: 12 }
controls: [aa]
stop: { rule: width, width: 100, minBlocks: 4 }
`,
  },
};

export async function mockLab(folder: string): Promise<RunLab> {
  const bases = new Map<string, Promise<Undisturbed>>();
  const specs = join(folder, 'specs');
  await mkdir(specs, { recursive: true });
  for (const [name, { text }] of Object.entries(SPECS)) await writeFile(join(specs, `${name}.yaml`), text);
  const sceneIn = (own: string, name: string): Promise<RunScene> => {
    const { total = 0 } = SPECS[name] ?? {};
    const spec = join(specs, `${name}.yaml`);
    return runScene({ folder: own, engine: 'mock', spec, total, cache: join(own, 'cache'), jobs: 3 });
  };
  const baseOf = (name: string): Promise<Undisturbed> => {
    const base = bases.get(name) ?? sceneIn(join(folder, `undisturbed-${name}`), name).then(undisturbed);
    bases.set(name, base);
    return base;
  };
  return {
    engine: 'mock',
    async open(own, draw) {
      const name = draw.chance(25) ? 'early' : 'whole';
      const base = await baseOf(name);
      return { scene: await sceneIn(own, name), base };
    },
  };
}
