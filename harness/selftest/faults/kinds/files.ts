// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Draw } from '../../draw.ts';
import { signal } from '../../processes.ts';
import { damageFile } from '../damage.ts';
import type { Strike } from '../disturbed-run.ts';
import type { RunKind } from '../run-kind.ts';
import { DESCRIPTION, type RunScene } from '../scene.ts';
import { reach } from './moments.ts';

/** Files of a run that lie still are cut, emptied, flipped, zeroed in part, or grow garbage. */
export const FILE_KINDS: readonly RunKind[] = [
  {
    name: 'damaged-log',
    about: 'trials.jsonl of a stopped or finished run is damaged, at one to three places',
    weight: { mock: 20, exact: 4 },
    strike: async (scene, draw) => {
      const { controllers, when } = await stoppedRun(scene, draw);
      const places = draw.between(1, 3);
      const words: string[] = [];
      for (let place = 0; place < places; place++) {
        words.push(await damageFile(join(scene.out, 'trials.jsonl'), draw));
      }
      return { what: `${when}: ${words.join('; ')}`, faults: places, controllers, damagesLog: true };
    },
  },
  {
    name: 'damaged-description',
    about: 'spec.json, plan.json, provenance.json or sums.json of a run is damaged',
    weight: { mock: 16, exact: 3 },
    strike: async (scene, draw) => {
      const { controllers, when } = await stoppedRun(scene, draw);
      const name = draw.oneOf(DESCRIPTION);
      const how = await damageFile(join(scene.out, name), draw);
      return { what: `${when}: ${name} ${how}`, controllers, remedy: NONE };
    },
  },
  {
    name: 'damaged-table',
    about: 'trials.csv, which is derived, is damaged or gone',
    weight: { mock: 4, exact: 0 },
    strike: async (scene, draw) => {
      const { controllers, when } = await stoppedRun(scene, draw);
      const path = join(scene.out, 'trials.csv');
      const gone = !existsSync(path) || draw.chance(20);
      const how = gone ? 'is gone' : await damageFile(path, draw);
      if (gone) await rm(path, { force: true });
      return { what: `${when}: trials.csv ${how}`, controllers, remedy: NONE };
    },
  },
  {
    name: 'damaged-lock',
    about: 'run.lock that a killed controller left is damaged',
    weight: { mock: 4, exact: 0 },
    strike: async (scene, draw) => {
      const controller = scene.start();
      const when = await reach({ records: draw.between(1, scene.total - 8), afterMs: 0 }, scene, controller);
      signal(controller.pid, 'SIGKILL');
      await controller.ended;
      const path = join(scene.out, 'run.lock');
      const how = existsSync(path) ? await damageFile(path, draw) : 'was given back before';
      const asked = /run\.lock: the run is in use by .*delete this file and try again/;
      const remedy = { asked, act: () => rm(path) };
      return { what: `killed ${when}: run.lock ${how}`, controllers: [controller], remedy };
    },
  },
];

/** The run must be gone on with, and nothing has to be asked for. */
const NONE = { asked: /(?!)/, act: () => undefined };

async function stoppedRun(
  scene: RunScene,
  draw: Draw,
): Promise<Pick<Strike, 'controllers'> & { when: string }> {
  const controller = scene.start();
  if (draw.chance(40)) {
    await controller.ended;
    return { controllers: [controller], when: 'finished' };
  }
  const when = await reach({ records: draw.between(1, scene.total - 1), afterMs: 0 }, scene, controller);
  signal(controller.pid, draw.oneOf(['SIGKILL', 'SIGTERM'] as const));
  await controller.ended;
  return { controllers: [controller], when: `stopped ${when}` };
}
